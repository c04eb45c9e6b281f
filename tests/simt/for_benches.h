/* for_benches.h - included before the text of a bench: its device samplers are those of the emulated device. */
#ifndef WEIR_TESTS_SIMT_FOR_BENCHES_H
#define WEIR_TESTS_SIMT_FOR_BENCHES_H

#include "kernels/backend.h"

#define weir_sampler_create(options, out, error) sampler_create_on(&backend_simt, options, out, error)

#endif
