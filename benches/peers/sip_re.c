// libre: splits a message; addresses and Contact are decoded on demand. It has no function that writes a message again.
// links: libre
#define HAVE_INTTYPES_H 1
#define HAVE_STDBOOL_H 1
#include <stdint.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <re/re.h>

size_t re_sip(const char *data, size_t length, int what)
{
    struct mbuf *mb = mbuf_alloc(length);
    struct sip_msg *msg = NULL;
    size_t result = 0;
    if (!mb) return 0;
    mbuf_write_mem(mb, (const uint8_t *)data, length);
    mb->pos = 0;
    if (sip_msg_decode(&msg, mb) == 0) {
        result = 1;
        if (what >= 1) {
            const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
            const struct sip_hdr *route = sip_msg_hdr(msg, SIP_HDR_ROUTE);
            struct sip_addr address;
            if (contact) (void)sip_addr_decode(&address, &contact->val);
            if (route) (void)sip_addr_decode(&address, &route->val);
        }
    }
    mem_deref(msg);
    mem_deref(mb);
    return result;
}
