/* One end of an NTLM login of gss-ntlmssp, driven by lines; octets are hexadecimal, "-" stands for none.
 *   ntlm_gss init DOMAIN USER PASSWORD service@host [datagram] [mic] [conf]
 *   ntlm_gss accept                  (users: the file named by NTLM_USER_FILE, lines DOMAIN:user:password)
 * STEP [token]  -> TOKEN token complete|continue    SIGN text -> SIG signature      VERIFY text signature -> GOOD|BAD
 * SEQ number    -> OK                               SEAL text -> SEALED token       UNSEAL token -> TEXT text|BAD
 * KEY           -> KEY session-key                  NAME -> NAME who                anything refused -> ERROR ...
 * The mechanism is loaded directly: the library in front of it takes the empty first token of a login without a
 * connection for another mechanism's. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_ntlmssp.h>

#define EACH(X) \
  X(gss_import_name) X(gss_acquire_cred) X(gss_init_sec_context) X(gss_accept_sec_context) X(gss_get_mic) X(gss_verify_mic) \
  X(gss_wrap) X(gss_unwrap) X(gss_inquire_sec_context_by_oid) X(gss_display_name) X(gss_set_sec_context_option)
#define DECLARE(name) static __typeof__(&name) p_##name;
EACH(DECLARE)
static __typeof__(&gss_acquire_cred_with_password) p_with_password;

static void load(void) {
  char path[512] = "", line[1024];
  FILE *file = fopen("/etc/gss/mech.d/mech.ntlmssp.conf", "r");
  while (file && fgets(line, sizeof line, file))
    if (*line != '#') sscanf(line, "%*s %*s %511s", path);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) { fprintf(stderr, "%s\n", dlerror()); exit(2); }
#define GET(name) if (!(*(void **)&p_##name = dlsym(library, #name))) { fprintf(stderr, "no " #name "\n"); exit(2); }
  EACH(GET)
  if (!(*(void **)&p_with_password = dlsym(library, "gssspi_acquire_cred_with_password"))) exit(2);
}

static gss_OID_desc mechanism = {GSS_NTLMSSP_OID_LENGTH, GSS_NTLMSSP_OID_STRING};
static gss_OID_desc set_number = {GSS_NTLMSSP_SET_SEQ_NUM_OID_LENGTH, GSS_NTLMSSP_SET_SEQ_NUM_OID_STRING};
static gss_OID_desc want_mic = {GSS_SPNEGO_REQUIRE_MIC_OID_LENGTH, GSS_SPNEGO_REQUIRE_MIC_OID_STRING};

static gss_buffer_desc octets(const char *text) {
  gss_buffer_desc buffer = GSS_C_EMPTY_BUFFER;
  if (!text || !strcmp(text, "-")) return buffer;
  buffer.length = strlen(text) / 2;
  buffer.value = malloc(buffer.length + 1);
  for (size_t at = 0; at < buffer.length; at++) {
    unsigned value = 0;
    sscanf(text + 2 * at, "%2x", &value);
    ((uint8_t *)buffer.value)[at] = value;
  }
  return buffer;
}

static void print(const char *word, gss_buffer_t buffer) {
  printf("%s ", word);
  if (!buffer->length) printf("-");
  for (size_t at = 0; at < buffer->length; at++) printf("%02x", ((uint8_t *)buffer->value)[at]);
}

int main(int count, char **words) {
  load();
  setvbuf(stdout, 0, _IOLBF, 0);
  int initiator = count > 5 && !strcmp(words[1], "init"), mic = 0, first = 1, state;
  uint32_t flags = GSS_C_INTEG_FLAG, given = 0, major, minor;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
  gss_name_t user = 0, target = 0;
  gss_OID_set_desc mechanisms = {1, &mechanism};
  for (int at = 6; at < count; at++) {
    if (!strcmp(words[at], "datagram")) flags |= GSS_C_DATAGRAM_FLAG;
    if (!strcmp(words[at], "conf")) flags |= GSS_C_CONF_FLAG;
    if (!strcmp(words[at], "mic")) mic = 1;
  }
  if (initiator) {
    char name[512];
    snprintf(name, sizeof name, "%s%s%s", words[2], *words[2] ? "\\" : "", words[3]);
    gss_buffer_desc who = {strlen(name), name}, password = {strlen(words[4]), words[4]}, host = {strlen(words[5]), words[5]};
    major = p_gss_import_name(&minor, &who, GSS_C_NT_USER_NAME, &user);
    if (!major) major = p_with_password(&minor, user, &password, GSS_C_INDEFINITE, &mechanisms, GSS_C_INITIATE, &credential, 0, 0);
    if (!major) major = p_gss_import_name(&minor, &host, GSS_C_NT_HOSTBASED_SERVICE, &target);
  } else {
    major = p_gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT, &credential, 0, 0);
  }
  if (major) { printf("ERROR %08x %u\n", major, minor); return 1; }
  static char line[262144];
  while (fgets(line, sizeof line, stdin)) {
    char *verb = strtok(line, " \n"), *one = strtok(0, " \n"), *two = strtok(0, " \n");
    gss_buffer_desc in = octets(one), other = octets(two), out = GSS_C_EMPTY_BUFFER;
    gss_buffer_set_t set = 0;
    const char *word = "OK";
    major = minor = 0;
    if (!verb) continue;
    if (!strcmp(verb, "STEP")) {
      if (initiator) {
        major = p_gss_init_sec_context(&minor, credential, &context, target, &mechanism, flags, 0, GSS_C_NO_CHANNEL_BINDINGS,
                                       first ? GSS_C_NO_BUFFER : &in, 0, &out, &given, 0);
        if (first && mic && context) { uint32_t ignored; p_gss_inquire_sec_context_by_oid(&ignored, context, &want_mic, &set); }
      } else {
        major = p_gss_accept_sec_context(&minor, &context, credential, &in, GSS_C_NO_CHANNEL_BINDINGS, user ? 0 : &user, 0, &out, &given, 0, 0);
      }
      first = 0;
      if (!GSS_ERROR(major)) {
        print("TOKEN", &out);
        puts(major == GSS_S_COMPLETE ? " complete" : " continue");
        continue;
      }
    } else if (!strcmp(verb, "SIGN")) {
      major = p_gss_get_mic(&minor, context, 0, &in, &out);
      word = "SIG";
    } else if (!strcmp(verb, "VERIFY")) {
      puts(p_gss_verify_mic(&minor, context, &in, &other, 0) ? "BAD" : "GOOD");
      continue;
    } else if (!strcmp(verb, "SEAL")) {
      major = p_gss_wrap(&minor, context, 1, 0, &in, &state, &out);
      word = "SEALED";
    } else if (!strcmp(verb, "UNSEAL")) {
      if (p_gss_unwrap(&minor, context, &in, &out, &state, 0)) { puts("BAD"); continue; }
      word = "TEXT";
    } else if (!strcmp(verb, "SEQ")) {
      uint32_t number = atoi(one ? one : "0");
      gss_buffer_desc value = {4, &number};
      major = p_gss_set_sec_context_option(&minor, &context, &set_number, &value);
    } else if (!strcmp(verb, "KEY")) {
      major = p_gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &set);
      if (!major) out = set->elements[0];
      word = "KEY";
    } else if (!strcmp(verb, "NAME")) {
      if (user) major = p_gss_display_name(&minor, user, &out, 0);
      printf("NAME %.*s\n", (int)out.length, (char *)out.value);
      continue;
    }
    if (major) printf("ERROR %08x %u\n", major, minor);
    else { print(word, &out); puts(""); }
  }
  return 0;
}
