// libosip2: its trace function is variadic.
#pragma once

/// Starts the parser once and silences its log, which would write a line to standard error for every malformed message.
void tandem_osip_initialise(void);
/// Frees memory that libosip2 handed out (osip_free is a macro).
void tandem_osip_free(void *pointer);
