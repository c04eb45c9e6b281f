/* host.h - what the files of the emulated device's host side share. */
#ifndef WEIR_TESTS_SIMT_HOST_SIDE_H
#define WEIR_TESTS_SIMT_HOST_SIDE_H

#include "grid.h"

/* Begins a call of the host's side: counts it, and gives the error that a test has planted for it. */
int call_begin(uint64_t simt_counts::*kind);
/* The error of a call; kept until device_clear_error. */
int call_end(int error);

/* Whether the bytes lie in memory of the device. */
bool device_memory_holds(const void *at, size_t bytes);
/* Lets the device at its memory, or keeps the host from it where a test wants that. */
void device_memory_open(bool to_device);
/* What keeps a launch from being enqueued. */
int launch_check(simt_kernel kernel, const launch_shape &shape);
/* Whether there are fibers for it besides those of another launch. */
bool launch_can_be_overlapped(const launch_shape &shape);

/* Drops what is enqueued and not yet run, and a capture. */
void streams_reset();
/* Runs all that is enqueued. */
void streams_finish();
/* Marks the capture that goes on, if one does, as failed: a call that no graph can hold. */
bool capture_spoiled();

#endif
