#pragma once
// sys/time.h first: without it the module fails to compile (struct timeval incomplete).
#include <sys/time.h>
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_message.h>
#include <osipparser2/osip_port.h>
