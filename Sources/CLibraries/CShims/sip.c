#include "shims_sip.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/time.h>
#include <openssl/evp.h>
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>

static void discard(const char *file, int line, osip_trace_level_t level, const char *format, va_list arguments) {
    (void)file; (void)line; (void)level; (void)format; (void)arguments;
}

static void initialise(void) {
    parser_init();
    osip_trace_initialize_func(END_TRACE_LEVEL, &discard);
}

void tandem_osip_initialise(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialise);
}

void tandem_osip_free(void *pointer) {
    osip_free(pointer);
}

int tandem_digest(int function, const uint8_t *bytes, size_t count, uint8_t *digest) {
    const EVP_MD *type = function == TANDEM_DIGEST_SHA256 ? EVP_sha256()
        : function == TANDEM_DIGEST_SHA512_256 ? EVP_sha512_256() : EVP_md5();
    unsigned int length = 0;
    return EVP_Digest(bytes, count, digest, &length, type, NULL) == 1 ? (int)length : 0;
}
