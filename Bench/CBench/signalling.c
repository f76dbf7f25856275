#include "CBench.h"
#include <sys/time.h>
#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>
#include <osipparser2/sdp_message.h>
#include <opus.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int bench_is_optimised(void) {
#ifdef __OPTIMIZE__
    return 1;
#else
    return 0;
#endif
}

const char *bench_versions(void) {
    static char text[200];
    snprintf(text, sizeof text, "%s, %s", opus_get_version_string(), srtp_get_version_string());
    return text;
}

/// Parses a description and writes it. The bytes written; 0 on failure.
static long copy_description(const char *text) {
    sdp_message_t *description = NULL;
    char *copy = NULL;
    long written = 0;
    if (sdp_message_init(&description) != 0) return 0;
    if (sdp_message_parse(description, text) == 0 && sdp_message_to_str(description, &copy) == 0) written = (long)strlen(copy);
    osip_free(copy);
    sdp_message_free(description);
    return written;
}

int bench_osip_invites(const bench_packets *messages, long *written) {
    for (int i = 0; i < messages->count; i++) {
        osip_message_t *message = NULL;
        osip_body_t *body = NULL;
        char *copy = NULL;
        size_t length = 0;
        if (osip_message_init(&message) != 0) return i;
        long description = 0;
        if (osip_message_parse(message, (const char *)messages->bytes + (size_t)i * messages->stride, (size_t)messages->lengths[i]) == 0
            && osip_message_get_body(message, 0, &body) >= 0 && (description = copy_description(body->body)) > 0
            && osip_message_to_str(message, &copy, &length) == 0)
            *written += description + (long)length;
        osip_free(copy);
        osip_message_free(message);
        if (description <= 0 || length == 0) return i;
    }
    return messages->count;
}

int bench_osip_descriptions(const char *text, int count, long *written) {
    for (int i = 0; i < count; i++) {
        long length = copy_description(text);
        if (length <= 0) return i;
        *written += length;
    }
    return count;
}

int bench_match(const char *patterns, int stride, int count, const char *number) {
    for (int i = 0; i < count; i++) {
        const char *pattern = patterns + (size_t)i * stride, *digit = number;
        while (*pattern && (*pattern == 'X' ? *digit >= '0' && *digit <= '9' : *pattern == *digit)) pattern++, digit++;
        if (!*pattern && !*digit) return i;
    }
    return -1;
}
