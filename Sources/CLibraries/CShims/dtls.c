// DTLS over datagrams in memory: see shims_dtls.h.
#include "shims_dtls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>

enum {
    // A flight of ours is one or two datagrams at the usual MTU; a peer must not make it grow without bound.
    MAX_DATAGRAMS = 64,
};

struct tandem_dtls {
    SSL *ssl;
    const uint8_t *input;               // lent for one call
    size_t input_length;
    struct { uint8_t *bytes; size_t length; } output[MAX_DATAGRAMS];     // one block each: growth moves none of them
    size_t count;
    size_t written;                     // ever
    int replaces;                       // the next write starts a new collection
    long mtu;
};

// ---- the BIO -----------------------------------------------------------------------------------------------

static void forget_output(tandem_dtls *dtls) {
    while (dtls->count > 0) free(dtls->output[--dtls->count].bytes);
}

static int pipe_write(BIO *bio, const char *bytes, int length) {
    tandem_dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (length <= 0) return length;
    if (dtls->replaces) forget_output(dtls);
    dtls->replaces = 0;
    uint8_t *copy = dtls->count == MAX_DATAGRAMS ? NULL : malloc((size_t)length);
    if (copy == NULL) return -1;
    memcpy(copy, bytes, (size_t)length);
    dtls->output[dtls->count].bytes = copy;
    dtls->output[dtls->count++].length = (size_t)length;
    dtls->written++;
    return length;
}

// One datagram per read, like a socket: what does not fit is cut off, and the next read finds nothing.
static int pipe_read(BIO *bio, char *bytes, int capacity) {
    tandem_dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (dtls->input == NULL || capacity <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t length = dtls->input_length < (size_t)capacity ? dtls->input_length : (size_t)capacity;
    memcpy(bytes, dtls->input, length);
    dtls->input = NULL;
    return (int)length;
}

static long pipe_control(BIO *bio, int command, long number, void *pointer) {
    tandem_dtls *dtls = BIO_get_data(bio);
    (void)number; (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH: case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT: return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU: case BIO_CTRL_DGRAM_GET_FALLBACK_MTU: return dtls->mtu;
    default: return 0;                  // also BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: the MTU we are given is the payload's
    }
}

static BIO_METHOD *pipe_method;
static pthread_once_t pipe_method_once = PTHREAD_ONCE_INIT;

static void make_pipe_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tandem datagrams");
    if (method == NULL) return;
    BIO_meth_set_write(method, pipe_write);
    BIO_meth_set_read(method, pipe_read);
    BIO_meth_set_ctrl(method, pipe_control);
    pipe_method = method;
}

// ---- the context -------------------------------------------------------------------------------------------

// Trust comes from the fingerprint in SDP (RFC 8122), which the caller compares; a chain is never built.
static int accept_certificate(X509_STORE_CTX *store, void *unused) {
    (void)unused;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static X509 *make_certificate(EVP_PKEY *key) {
    X509 *certificate = X509_new();
    if (certificate == NULL) return NULL;
    uint64_t serial = 0;
    X509_NAME *name = X509_get_subject_name(certificate);
    int good = RAND_bytes((unsigned char *)&serial, sizeof serial) == 1
        && X509_set_version(certificate, X509_VERSION_3)
        && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), (serial >> 1) | 1)
        // A day back, for browsers whose clock is behind; ten years on, for nobody restarts a gateway for this.
        && X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) != NULL
        && X509_gmtime_adj(X509_getm_notAfter(certificate), 10L * 365 * 86400) != NULL
        && X509_set_pubkey(certificate, key)
        && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"tandem", -1, -1, 0)
        && X509_set_issuer_name(certificate, name)
        && X509_sign(certificate, key, EVP_sha256()) > 0;
    if (good) return certificate;
    X509_free(certificate);
    return NULL;
}

SSL_CTX *tandem_dtls_context_new(const char *profiles, uint8_t fingerprint[32]) {
    ERR_clear_error();
    pthread_once(&pipe_method_once, make_pipe_method);
    SSL_CTX *context = pipe_method == NULL ? NULL : SSL_CTX_new(DTLS_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key == NULL ? NULL : make_certificate(key);
    unsigned length = 32;
    int good = context != NULL && certificate != NULL
        && X509_digest(certificate, EVP_sha256(), fingerprint, &length)
        && SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION)
        && SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION)
        && SSL_CTX_use_certificate(context, certificate)
        && SSL_CTX_use_PrivateKey(context, key)
        && SSL_CTX_set1_groups_list(context, "X25519:P-256")
        // Forward secrecy always; CBC last, for old phones. RSA because the peer's certificate may be one.
        && SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL:!PSK")
        && SSL_CTX_set_tlsext_use_srtp(context, profiles) == 0;      // 0 is success here
    if (good) {
        SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_cert_verify_callback(context, accept_certificate, NULL);
        SSL_CTX_set_max_send_fragment(context, 2048);                // a smaller write buffer per call
    } else {
        SSL_CTX_free(context);
        context = NULL;
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

// ---- a connection ------------------------------------------------------------------------------------------

// OpenSSL's own retransmission reads the system clock; an hour switches it off, the engine above resends.
static unsigned never_resend(SSL *ssl, unsigned microseconds) {
    (void)ssl; (void)microseconds;
    return 3600u * 1000 * 1000;
}

tandem_dtls *tandem_dtls_new(SSL_CTX *context, int client, long mtu) {
    tandem_dtls *dtls = calloc(1, sizeof *dtls);
    if (dtls == NULL) return NULL;
    dtls->mtu = mtu;
    dtls->replaces = 1;
    dtls->ssl = SSL_new(context);
    BIO *bio = dtls->ssl == NULL ? NULL : BIO_new(pipe_method);
    if (bio == NULL) {
        SSL_free(dtls->ssl);
        free(dtls);
        return NULL;
    }
    BIO_set_data(bio, dtls);
    BIO_set_init(bio, 1);
    SSL_set_bio(dtls->ssl, bio, bio);
    SSL_set_mtu(dtls->ssl, mtu);
    DTLS_set_timer_cb(dtls->ssl, never_resend);
    if (client) SSL_set_connect_state(dtls->ssl); else SSL_set_accept_state(dtls->ssl);
    return dtls;
}

void tandem_dtls_free(tandem_dtls *dtls) {
    if (dtls == NULL) return;
    SSL_free(dtls->ssl);
    forget_output(dtls);
    free(dtls);
}

static int outcome(tandem_dtls *dtls, int result) {
    switch (SSL_get_error(dtls->ssl, result)) {
    case SSL_ERROR_WANT_READ: case SSL_ERROR_WANT_WRITE: return TANDEM_DTLS_WAITING;
    case SSL_ERROR_ZERO_RETURN: return TANDEM_DTLS_CLOSED;
    // There are no system calls here. OpenSSL 3.0.19 says this, with no error noted, of some damaged records that it drops.
    case SSL_ERROR_SYSCALL: return ERR_peek_error() == 0 ? TANDEM_DTLS_WAITING : TANDEM_DTLS_FAILED;
    default: return TANDEM_DTLS_FAILED;
    }
}

// 19 kB of buffers that a connection uses for its handshake and for its last alert. OpenSSL makes them again when it reads.
static void free_buffers(tandem_dtls *dtls) { SSL_free_buffers(dtls->ssl); }

int tandem_dtls_handshake(tandem_dtls *dtls, const uint8_t *datagram, size_t length) {
    ERR_clear_error();
    dtls->input = datagram;
    dtls->input_length = length;
    int result = SSL_do_handshake(dtls->ssl);
    dtls->input = NULL;
    if (result != 1) return outcome(dtls, result);
    free_buffers(dtls);
    return TANDEM_DTLS_FINISHED;
}

int tandem_dtls_read(tandem_dtls *dtls, const uint8_t *datagram, size_t length) {
    uint8_t unwanted[2048];
    ERR_clear_error();
    dtls->input = datagram;
    dtls->input_length = length;
    int result;
    do result = SSL_read(dtls->ssl, unwanted, sizeof unwanted); while (result > 0);
    dtls->input = NULL;
    int code = outcome(dtls, result);
    free_buffers(dtls);
    return code;
}

void tandem_dtls_close(tandem_dtls *dtls) {
    // There is nothing to read, but reading makes the buffers, which writing alone does not.
    uint8_t unwanted;
    SSL_read(dtls->ssl, &unwanted, 1);
    ERR_clear_error();
    SSL_shutdown(dtls->ssl);
    ERR_clear_error();
}

void tandem_dtls_begin(tandem_dtls *dtls) { dtls->replaces = 1; }
size_t tandem_dtls_written(const tandem_dtls *dtls) { return dtls->written; }
size_t tandem_dtls_count(const tandem_dtls *dtls) { return dtls->count; }

uint8_t *tandem_dtls_datagram(tandem_dtls *dtls, size_t index, size_t *length) {
    *length = dtls->output[index].length;
    return dtls->output[index].bytes;
}

unsigned tandem_dtls_profile(const tandem_dtls *dtls) {
    SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(dtls->ssl);
    return profile == NULL ? 0 : (unsigned)profile->id;
}

int tandem_dtls_export(tandem_dtls *dtls, uint8_t *out, size_t length) {
    static const char label[] = "EXTRACTOR-dtls_srtp";
    return SSL_export_keying_material(dtls->ssl, out, length, label, sizeof label - 1, NULL, 0, 0) == 1;
}

size_t tandem_dtls_peer_fingerprint(const tandem_dtls *dtls, const char *hash, uint8_t out[64]) {
    const EVP_MD *digest = NULL;
    if (strcasecmp(hash, "sha-256") == 0) digest = EVP_sha256();
    else if (strcasecmp(hash, "sha-384") == 0) digest = EVP_sha384();
    else if (strcasecmp(hash, "sha-512") == 0) digest = EVP_sha512();
    else if (strcasecmp(hash, "sha-224") == 0) digest = EVP_sha224();
    else if (strcasecmp(hash, "sha-1") == 0) digest = EVP_sha1();
    X509 *certificate = digest == NULL ? NULL : SSL_get1_peer_certificate(dtls->ssl);
    if (certificate == NULL) return 0;
    unsigned length = 0;
    int good = X509_digest(certificate, digest, out, &length);
    X509_free(certificate);
    return good ? length : 0;
}

void tandem_dtls_error(char *out, size_t capacity) {
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    strncpy(out, reason != NULL ? reason : "unknown error", capacity);
    if (capacity > 0) out[capacity - 1] = 0;
    ERR_clear_error();
}
