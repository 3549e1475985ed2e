/* G.726-32 of spandsp. g726_spandsp encode|decode aal2|rfc3551 < in > out; samples are 16-bit little-endian. Needs libspandsp-dev; link with -lspandsp. */
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <spandsp.h>

#define LIMIT (1 << 24)

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int packing = strcmp(argv[2], "aal2") == 0 ? G726_PACKING_LEFT : G726_PACKING_RIGHT;
    g726_state_t *s = g726_init(NULL, 32000, G726_ENCODING_LINEAR, packing);
    uint8_t *in = malloc(LIMIT);
    uint8_t *out = malloc(4 * LIMIT);
    size_t n = fread(in, 1, LIMIT, stdin);
    if (strcmp(argv[1], "encode") == 0)
        n = g726_encode(s, out, (int16_t *) in, n / 2);
    else
        n = 2 * g726_decode(s, (int16_t *) out, in, n);
    return fwrite(out, 1, n, stdout) == n ? 0 : 1;
}
