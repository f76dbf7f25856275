#include "shims_sip.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/time.h>
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
