// spandsp: inline G.711 functions and tables that Swift should reach through plain calls.
#pragma once
