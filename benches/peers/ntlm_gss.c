/* NTLM of gss-ntlmssp: a login of both sides in one process, and signatures of its session.
 * The mechanism is loaded directly: only so does it take the options that a peer of a server has.
 * Its path stands in /etc/gss/mech.d (Debian: gss-ntlmssp). Headers: libkrb5-dev.
 */
// links: krb5-gssapi
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

#define FN(name) static __typeof__(&name) p_##name
FN(gss_import_name);
FN(gss_acquire_cred);
FN(gss_init_sec_context);
FN(gss_accept_sec_context);
FN(gss_get_mic);
FN(gss_verify_mic);
FN(gss_delete_sec_context);
FN(gss_release_buffer);
FN(gss_release_cred);
static __typeof__(&gss_acquire_cred_with_password) p_with_password;

static gss_OID_desc mech = {10, "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_name_t user, target;
static gss_ctx_id_t client = GSS_C_NO_CONTEXT, server = GSS_C_NO_CONTEXT;
static uint8_t signature[64];
static size_t signature_length;

/* 0 if all is there. USERS is a file with lines DOMAIN:user:password. */
int ntlm_gss_prepare(const char *users, const char *name, const char *service) {
  char path[512] = "", line[1024];
  uint32_t minor;
  FILE *file = fopen("/etc/gss/mech.d/mech.ntlmssp.conf", "r");
  if (!file) return 1;
  while (fgets(line, sizeof line, file))
    if (*line != '#') sscanf(line, "%*s %*s %511s", path);
  fclose(file);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return 2;
#define GET(name) if (!(*(void **)&p_##name = dlsym(library, #name))) return 3;
  GET(gss_import_name) GET(gss_acquire_cred) GET(gss_init_sec_context) GET(gss_accept_sec_context) GET(gss_get_mic)
  GET(gss_verify_mic) GET(gss_delete_sec_context) GET(gss_release_cred)
  *(void **)&p_gss_release_buffer = dlsym(RTLD_DEFAULT, "gss_release_buffer");
  if (!p_gss_release_buffer || !(*(void **)&p_with_password = dlsym(library, "gssspi_acquire_cred_with_password"))) return 4;
  setenv("NTLM_USER_FILE", users, 1);
  setenv("NETBIOS_COMPUTER_NAME", "FE1", 1);
  setenv("NETBIOS_DOMAIN_NAME", "CONTOSO", 1);
  gss_buffer_desc text = {strlen(name), (void *)name}, host = {strlen(service), (void *)service};
  if (p_gss_import_name(&minor, &text, GSS_C_NT_USER_NAME, &user)) return 5;
  return p_gss_import_name(&minor, &host, GSS_C_NT_HOSTBASED_SERVICE, &target) ? 6 : 0;
}

/* A whole login; 0 if it succeeds. */
int ntlm_gss_login(const char *password) {
  uint32_t minor, major, flags = GSS_C_INTEG_FLAG;
  gss_OID_set_desc mechanisms = {1, &mech};
  gss_cred_id_t outgoing = GSS_C_NO_CREDENTIAL, incoming = GSS_C_NO_CREDENTIAL;
  gss_buffer_desc secret = {strlen(password), (void *)password}, one = GSS_C_EMPTY_BUFFER, two = GSS_C_EMPTY_BUFFER, three = GSS_C_EMPTY_BUFFER, none = GSS_C_EMPTY_BUFFER;
  if (client) p_gss_delete_sec_context(&minor, &client, 0);
  if (server) p_gss_delete_sec_context(&minor, &server, 0);
  if (p_with_password(&minor, user, &secret, GSS_C_INDEFINITE, &mechanisms, GSS_C_INITIATE, &outgoing, 0, 0)) return 1;
  if (p_gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT, &incoming, 0, 0)) return 2;
  major = p_gss_init_sec_context(&minor, outgoing, &client, target, &mech, flags, 0, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, 0, &one, 0, 0);
  if (major != GSS_S_CONTINUE_NEEDED) return 3;
  major = p_gss_accept_sec_context(&minor, &server, incoming, &one, GSS_C_NO_CHANNEL_BINDINGS, 0, 0, &two, 0, 0, 0);
  if (major != GSS_S_CONTINUE_NEEDED) return 4;
  if (p_gss_init_sec_context(&minor, outgoing, &client, target, &mech, flags, 0, GSS_C_NO_CHANNEL_BINDINGS, &two, 0, &three, 0, 0)) return 5;
  if (p_gss_accept_sec_context(&minor, &server, incoming, &three, GSS_C_NO_CHANNEL_BINDINGS, 0, 0, &none, 0, 0, 0)) return 6;
  p_gss_release_buffer(&minor, &one);
  p_gss_release_buffer(&minor, &two);
  p_gss_release_buffer(&minor, &three);
  p_gss_release_buffer(&minor, &none);
  p_gss_release_cred(&minor, &outgoing);
  p_gss_release_cred(&minor, &incoming);
  return 0;
}

/* Signs as the client; 0 if it succeeds. */
int ntlm_gss_sign(const uint8_t *octets, size_t length) {
  uint32_t minor;
  gss_buffer_desc text = {length, (void *)octets}, token = GSS_C_EMPTY_BUFFER;
  if (p_gss_get_mic(&minor, client, 0, &text, &token)) return 1;
  signature_length = token.length < sizeof signature ? token.length : sizeof signature;
  memcpy(signature, token.value, signature_length);
  p_gss_release_buffer(&minor, &token);
  return 0;
}

/* Verifies the last signature as the server; 0 if it is right. */
int ntlm_gss_verify(const uint8_t *octets, size_t length) {
  uint32_t minor;
  gss_buffer_desc text = {length, (void *)octets}, token = {signature_length, signature};
  return p_gss_verify_mic(&minor, server, &text, &token, 0) ? 1 : 0;
}

/* A text signed and checked in each direction; 0 if both are right. */
int ntlm_gss_exchange(const uint8_t *octets, size_t length) {
  uint32_t minor;
  gss_ctx_id_t ends[2] = {client, server};
  for (int from = 0; from < 2; from++) {
    gss_buffer_desc text = {length, (void *)octets}, token = GSS_C_EMPTY_BUFFER;
    if (p_gss_get_mic(&minor, ends[from], 0, &text, &token)) return 1;
    if (p_gss_verify_mic(&minor, ends[1 - from], &text, &token, 0)) return 2;
    p_gss_release_buffer(&minor, &token);
  }
  return 0;
}
