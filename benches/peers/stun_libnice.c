// libnice: a binding request of ICE written, and one read and verified.
// links: nice
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stun/stunagent.h>

static StunAgent agent;
static int ready;
static const char *PASSWORD = "pWd+/0123456789abcdefGHI";
static const char *USERNAME = "rEm1:LoC2";

static void prepare(void)
{
    if (ready) return;
    stun_agent_init(&agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    ready = 1;
}

size_t nice_encode(uint8_t *buffer, size_t room)
{
    StunMessage message;
    StunTransactionId id;
    size_t length;
    prepare();
    stun_agent_init_request(&agent, &message, buffer, room, STUN_BINDING);
    stun_message_append_flag(&message, STUN_ATTRIBUTE_USE_CANDIDATE);
    stun_message_append32(&message, STUN_ATTRIBUTE_PRIORITY, 0x6e7ffeff);
    stun_message_append64(&message, STUN_ATTRIBUTE_ICE_CONTROLLING, 0x1122334455667788ULL);
    stun_message_append_bytes(&message, STUN_ATTRIBUTE_USERNAME, USERNAME, strlen(USERNAME));
    length = stun_agent_finish_message(&agent, &message, (const uint8_t *)PASSWORD, strlen(PASSWORD));
    // It keeps what it sent until the answer: forgotten, so that the next one finds room.
    stun_message_id(&message, id);
    stun_agent_forget_transaction(&agent, id);
    return length;
}

static bool validater(StunAgent *a, StunMessage *m, uint8_t *u, uint16_t ul, uint8_t **p, size_t *pl, void *d)
{
    *p = (uint8_t *)PASSWORD;
    *pl = strlen(PASSWORD);
    return true;
}

int nice_decode(const uint8_t *octets, size_t length)
{
    StunMessage message;
    uint32_t priority;
    prepare();
    return stun_agent_validate(&agent, &message, octets, length, validater, NULL) == STUN_VALIDATION_SUCCESS
        && stun_message_find32(&message, STUN_ATTRIBUTE_PRIORITY, &priority) == STUN_MESSAGE_RETURN_SUCCESS;
}
