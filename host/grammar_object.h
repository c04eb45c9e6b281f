/* grammar_object.h - what a weir_grammar is. */
#ifndef WEIR_HOST_GRAMMAR_OBJECT_H
#define WEIR_HOST_GRAMMAR_OBJECT_H

#include "machine.h"
#include "vocab.h"

struct weir_grammar {
    weir_allocator allocator;
    const weir_vocab *vocab;     /* holds a reference */
    _Atomic uint32_t references; /* beside the first */
    tables *tables;
    size_t bytes;
    machine machine;
    weir_keyword_report *report;
    uint32_t report_count;
    char *text; /* of the report */
    size_t text_length;
};

/* Memory that the grammar takes. */
size_t grammar_bytes(const weir_grammar *g);
/* compile.c: the options of a compile, checked, with their defaults filled in; NULL: all of them. */
weir_status grammar_options_check(const weir_grammar_options *given, weir_grammar_options *options, weir_error *error);

#endif
