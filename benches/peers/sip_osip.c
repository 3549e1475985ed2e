// libosip2: splits, types and writes a message.
// links: libosip2
#include <stdlib.h>
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>

size_t osip_sip(const char *data, size_t length, int what)
{
    static int ready = 0;
    if (!ready) {
        parser_init();
        ready = 1;
    }
    osip_message_t *sip;
    if (osip_message_init(&sip) != 0) return 0;
    size_t result = 0;
    if (osip_message_parse(sip, data, length) == 0) {
        result = 1;
        if (what >= 2) {
            char *text = NULL;
            size_t written = 0;
            result = osip_message_to_str(sip, &text, &written) == 0 ? written : 0;
            osip_free(text);
        }
    }
    osip_message_free(sip);
    return result;
}
