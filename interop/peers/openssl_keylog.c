/* The secrets of TLS connections of programs that cannot write them themselves, for whoever reads captures: loaded before
 * libssl (LD_PRELOAD), it gives every context a callback that appends to the file that SSLKEYLOGFILE names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void write_line(const void *connection, const char *line)
{
    const char *file = getenv("SSLKEYLOGFILE");
    struct iovec parts[2] = {{(void *)line, strlen(line)}, {"\n", 1}};
    int to = file ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    (void)connection;
    if (to < 0)
        return;
    if (writev(to, parts, 2) < 0)
        abort();
    close(to);
}

void *SSL_CTX_new(const void *method)
{
    void *library = dlopen("libssl.so.3", RTLD_NOW);
    void *(*made)(const void *) = library ? (void *(*)(const void *))dlsym(library, "SSL_CTX_new") : NULL;
    void (*log)(void *, void (*)(const void *, const char *)) =
        library ? (void (*)(void *, void (*)(const void *, const char *)))dlsym(library, "SSL_CTX_set_keylog_callback") : NULL;
    void *context;
    if (!made || !log)
        abort();
    context = made(method);
    if (context)
        log(context, write_line);
    return context;
}
