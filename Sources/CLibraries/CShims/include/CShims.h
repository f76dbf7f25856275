// The one umbrella header of the shims: what Swift cannot import from the C libraries by itself
// (variadic functions, function-like macros, mmsghdr). Never define _GNU_SOURCE here: it changes
// types of modules that Swift has already imported; the .c files get it from Package.swift.
#pragma once
#include "shims_opus.h"
#include "shims_dtls.h"
#include "shims_hmac.h"
#include "shims_net.h"
#include "shims_sip.h"
#include "shims_spandsp.h"
#include "shims_vector.h"
