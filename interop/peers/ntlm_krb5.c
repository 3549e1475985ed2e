/* One end of a GSSAPI login with Kerberos, driven by lines; octets are hexadecimal, "-" stands for none.
 *   ntlm_krb5 init service@host     (credentials: the keytab of KRB5_CLIENT_KTNAME)
 *   ntlm_krb5 accept                (keys: the keytab of KRB5_KTNAME)
 * STEP [token] -> TOKEN token complete|continue      SIGN text -> SIG token      VERIFY text token -> GOOD|BAD
 * anything refused -> ERROR ... */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>

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

static void error(uint32_t major, uint32_t minor) {
  uint32_t ignored, context = 0;
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  gss_display_status(&ignored, minor, GSS_C_MECH_CODE, (gss_OID)gss_mech_krb5, &context, &text);
  printf("ERROR %08x %.*s\n", major, (int)text.length, (char *)text.value);
}

int main(int count, char **words) {
  static char line[262144];
  int initiator = count > 2 && !strcmp(words[1], "init");
  uint32_t major, minor, flags = GSS_C_INTEG_FLAG;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  gss_name_t target = GSS_C_NO_NAME;
  setvbuf(stdout, 0, _IOLBF, 0);
  if (initiator) {
    gss_buffer_desc name = {strlen(words[2]), words[2]};
    major = gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, &target);
    if (major) { error(major, minor); return 1; }
  }
  while (fgets(line, sizeof line, stdin)) {
    char *verb = strtok(line, " \n"), *one = strtok(0, " \n"), *two = strtok(0, " \n");
    gss_buffer_desc in = octets(one), other = octets(two), out = GSS_C_EMPTY_BUFFER;
    if (!verb) continue;
    if (!strcmp(verb, "STEP")) {
      if (initiator)
        major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &context, target, (gss_OID)gss_mech_krb5, flags, 0, GSS_C_NO_CHANNEL_BINDINGS, &in, 0, &out, 0, 0);
      else
        major = gss_accept_sec_context(&minor, &context, GSS_C_NO_CREDENTIAL, &in, GSS_C_NO_CHANNEL_BINDINGS, 0, 0, &out, 0, 0, 0);
      if (GSS_ERROR(major)) { error(major, minor); continue; }
      print("TOKEN", &out);
      puts(major == GSS_S_COMPLETE ? " complete" : " continue");
    } else if (!strcmp(verb, "SIGN")) {
      major = gss_get_mic(&minor, context, GSS_C_QOP_DEFAULT, &in, &out);
      if (major) { error(major, minor); continue; }
      print("SIG", &out);
      puts("");
    } else if (!strcmp(verb, "VERIFY")) {
      puts(GSS_ERROR(gss_verify_mic(&minor, context, &in, &other, 0)) ? "BAD" : "GOOD");
    } else {
      puts("ERROR what?");
    }
  }
  return 0;
}
