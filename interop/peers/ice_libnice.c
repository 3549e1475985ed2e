/* An ICE agent of libnice on standard input and output.
 *
 * ice_libnice -m rfc5245|oc2007r2 [-c 1|0] [-n components] [-b address] [-S host:port] [-T host:port:user:password:udp|tcp]
 *             [-R] [-t] [-u]
 *   -c  controls (1) or is controlled (0)      -R  regular nomination
 *   -t  TCP candidates, too                    -u  no UDP candidates
 * Prints: UFRAG x, PWD x, CAND x (the value of a=candidate), GATHERED, STATE component NAME, RECV component text.
 * Reads:  ufrag x, pwd x, cand x, go, send component text, quit. */
#include <agent.h>
#include <gio/gio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static GMainLoop *loop;
static NiceAgent *agent;
static guint stream;
static int components = 1;
static char *ufrag, *password;
static GSList *candidates;

static void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static void gathered(NiceAgent *of, guint id, gpointer data) {
    gchar *user = NULL, *secret = NULL;
    nice_agent_get_local_credentials(agent, stream, &user, &secret);
    say("UFRAG %s", user);
    say("PWD %s", secret);
    g_free(user);
    g_free(secret);
    for (int component = 1; component <= components; component++) {
        GSList *list = nice_agent_get_local_candidates(agent, stream, component);
        for (GSList *at = list; at; at = at->next) {
            gchar *text = nice_agent_generate_local_candidate_sdp(agent, at->data);
            say("CAND %s", strncmp(text, "a=candidate:", 12) ? text : text + 12);
            g_free(text);
        }
        g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
    }
    say("GATHERED");
}

static void changed(NiceAgent *of, guint id, guint component, guint state, gpointer data) {
    static const char *names[] = {"DISCONNECTED", "GATHERING", "CONNECTING", "CONNECTED", "READY", "FAILED"};
    say("STATE %u %s", component, names[state]);
}

static void received(NiceAgent *of, guint id, guint component, guint length, gchar *octets, gpointer data) {
    say("RECV %u %.*s", component, (int)length, octets);
}

static void go(void) {
    if (!ufrag || !password) {
        say("ERROR no credentials");
        return;
    }
    nice_agent_set_remote_credentials(agent, stream, ufrag, password);
    for (int component = 1; component <= components; component++) {
        GSList *list = NULL;
        for (GSList *at = candidates; at; at = at->next)
            if ((int)((NiceCandidate *)at->data)->component_id == component)
                list = g_slist_append(list, at->data);
        if (list)
            nice_agent_set_remote_candidates(agent, stream, component, list);
        g_slist_free(list);
    }
    nice_agent_peer_candidate_gathering_done(agent, stream);
}

static gboolean read_line(GIOChannel *channel, GIOCondition condition, gpointer data) {
    gchar *line = NULL;
    GIOStatus status = g_io_channel_read_line(channel, &line, NULL, NULL, NULL);
    if (status == G_IO_STATUS_EOF) {
        g_main_loop_quit(loop);
        return FALSE;
    }
    if (status != G_IO_STATUS_NORMAL)
        return TRUE;
    g_strchomp(line);
    char *rest = strchr(line, ' ');
    if (rest)
        *rest++ = 0;
    else
        rest = "";
    if (!strcmp(line, "ufrag")) {
        ufrag = g_strdup(rest);
    } else if (!strcmp(line, "pwd")) {
        password = g_strdup(rest);
    } else if (!strcmp(line, "cand")) {
        gchar *text = g_strdup_printf("a=candidate:%s", rest);
        NiceCandidate *candidate = nice_agent_parse_remote_candidate_sdp(agent, stream, text);
        if (candidate)
            candidates = g_slist_append(candidates, candidate);
        else
            say("ERROR no candidate: %s", rest);
        g_free(text);
    } else if (!strcmp(line, "go")) {
        go();
    } else if (!strcmp(line, "send")) {
        char *text;
        int component = strtol(rest, &text, 10);
        while (*text == ' ')
            text++;
        nice_agent_send(agent, stream, component, strlen(text), text);
    } else if (!strcmp(line, "quit")) {
        g_main_loop_quit(loop);
    }
    g_free(line);
    return TRUE;
}

int main(int argc, char **argv) {
    int option, mode = -1, controls = 1, regular = 0, tcp = 0, udp = 1;
    char *address = NULL, *stun = NULL, *turn = NULL;
    while ((option = getopt(argc, argv, "m:c:n:b:S:T:Rtu")) != -1)
        switch (option) {
        case 'm': mode = !strcmp(optarg, "rfc5245") ? NICE_COMPATIBILITY_RFC5245 : !strcmp(optarg, "oc2007r2") ? NICE_COMPATIBILITY_OC2007R2 : -1; break;
        case 'c': controls = atoi(optarg); break;
        case 'n': components = atoi(optarg); break;
        case 'b': address = optarg; break;
        case 'S': stun = optarg; break;
        case 'T': turn = optarg; break;
        case 'R': regular = 1; break;
        case 't': tcp = 1; break;
        case 'u': udp = 0; break;
        default: return 2;
        }
    if (mode < 0)
        return 2;
    loop = g_main_loop_new(NULL, FALSE);
    agent = nice_agent_new_full(g_main_loop_get_context(loop), mode, regular ? NICE_AGENT_OPTION_REGULAR_NOMINATION : 0);
    g_object_set(agent, "upnp", FALSE, "controlling-mode", controls, "ice-tcp", tcp, "ice-udp", udp, NULL);
    if (address) {
        NiceAddress base;
        nice_address_init(&base);
        if (!nice_address_set_from_string(&base, address))
            return 2;
        nice_agent_add_local_address(agent, &base);
    }
    if (stun) {
        char **parts = g_strsplit(stun, ":", 2);
        g_object_set(agent, "stun-server", parts[0], "stun-server-port", atoi(parts[1]), NULL);
    }
    stream = nice_agent_add_stream(agent, components);
    if (turn) {
        char **parts = g_strsplit(turn, ":", 5);
        for (int component = 1; component <= components; component++)
            nice_agent_set_relay_info(agent, stream, component, parts[0], atoi(parts[1]), parts[2], parts[3],
                                      parts[4] && !strcmp(parts[4], "tcp") ? NICE_RELAY_TYPE_TURN_TCP : NICE_RELAY_TYPE_TURN_UDP);
    }
    g_signal_connect(agent, "candidate-gathering-done", G_CALLBACK(gathered), NULL);
    g_signal_connect(agent, "component-state-changed", G_CALLBACK(changed), NULL);
    for (int component = 1; component <= components; component++)
        nice_agent_attach_recv(agent, stream, component, g_main_loop_get_context(loop), received, NULL);
    g_io_add_watch(g_io_channel_unix_new(0), G_IO_IN | G_IO_HUP, read_line, NULL);
    if (!nice_agent_gather_candidates(agent, stream))
        return 1;
    g_main_loop_run(loop);
    return 0;
}
