/* grammar_object.h - what a weir_grammar is. */
#ifndef WEIR_HOST_GRAMMAR_OBJECT_H
#define WEIR_HOST_GRAMMAR_OBJECT_H

#include "machine.h"
#include "vocab.h"

struct weir_grammar {
    weir_allocator allocator;
    const weir_vocab *vocab;
    tables *tables;
    size_t bytes;
    machine machine;
    weir_keyword_report *report;
    uint32_t report_count;
    char *text; /* of the report */
    size_t text_length;
};

#endif
