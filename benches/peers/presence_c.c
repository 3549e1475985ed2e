/* XML by C libraries: expat with namespaces (events and attributes), libxml2 (a tree). */
// links: libxml-2.0 expat
#include <string.h>
#include <expat.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

static void start(void *data, const XML_Char *name, const XML_Char **attributes) {
  size_t *seen = data;
  *seen += strlen(name);
  for (; *attributes; attributes += 2) *seen += strlen(attributes[1]);
}
static void end(void *data, const XML_Char *name) { (void)name; ++*(size_t *)data; }
static void text(void *data, const XML_Char *octets, int length) { (void)octets; *(size_t *)data += length; }

/* How much was seen; 0 if it is no document. */
size_t presence_c_expat(const char *body, int length) {
  size_t seen = 0;
  XML_Parser parser = XML_ParserCreateNS(NULL, '|');
  XML_SetUserData(parser, &seen);
  XML_SetElementHandler(parser, start, end);
  XML_SetCharacterDataHandler(parser, text);
  if (XML_Parse(parser, body, length, 1) != XML_STATUS_OK) seen = 0;
  XML_ParserFree(parser);
  return seen;
}

/* 1 if it is a document; it is written again if asked. */
int presence_c_libxml2(const char *body, int length, int write) {
  xmlDocPtr document = xmlReadMemory(body, length, "x", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
  if (!document) return 0;
  if (write) {
    xmlChar *out = NULL;
    int size = 0;
    xmlDocDumpMemory(document, &out, &size);
    xmlFree(out);
  }
  xmlFreeDoc(document);
  return 1;
}
