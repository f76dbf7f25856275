#define OPENSSL_SUPPRESS_DEPRECATED
#include "shims_hmac.h"
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>

struct tandem_hmac_sha1 {
    /// The digests after their padded keys: a message begins with a copy.
    SHA_CTX inner, outer;
};

tandem_hmac_sha1 *tandem_hmac_sha1_new(const uint8_t *key, size_t length) {
    if (length > SHA_CBLOCK) return NULL;
    tandem_hmac_sha1 *hmac = malloc(sizeof *hmac);
    if (!hmac) return NULL;
    uint8_t inner[SHA_CBLOCK], outer[SHA_CBLOCK];
    for (size_t i = 0; i < SHA_CBLOCK; i++) {
        uint8_t byte = i < length ? key[i] : 0;
        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5C;
    }
    SHA1_Init(&hmac->inner);
    SHA1_Update(&hmac->inner, inner, sizeof inner);
    SHA1_Init(&hmac->outer);
    SHA1_Update(&hmac->outer, outer, sizeof outer);
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
    return hmac;
}

void tandem_hmac_sha1_free(tandem_hmac_sha1 *hmac) {
    OPENSSL_cleanse(hmac, sizeof *hmac);
    free(hmac);
}

void tandem_hmac_sha1_digest(
    const tandem_hmac_sha1 *hmac, const void *bytes, size_t length, const void *tail, size_t tail_length, uint8_t *digest) {
    SHA_CTX work = hmac->inner;
    SHA1_Update(&work, bytes, length);
    if (tail_length) SHA1_Update(&work, tail, tail_length);
    SHA1_Final(digest, &work);
    work = hmac->outer;
    SHA1_Update(&work, digest, SHA_DIGEST_LENGTH);
    SHA1_Final(digest, &work);
}
