/* regex.c - the main path of the regular-expression reader: a pattern in, its automaton out. */
#include "regex_build.h"

const regex *regex_compile(compiler *c, const json *place, const char *pattern, uint32_t length) {
    regex_sets sets = {0};
    regex_node *root = regex_parse(c, place, pattern, length);
    regex_program *program = regex_program_new(c, place, root, &sets);
    regex_alphabet *alphabet = regex_alphabet_new(c, &sets);
    regex_table *table = regex_table_new(c, place, program, alphabet);
    return regex_minimize(c, table);
}

uint32_t regex_step(const regex *r, uint32_t state, uint32_t code_point) {
    if (state == NONE || r->states[state].edge_count == 0) return NONE;
    const regex_edge *edges = r->edges + r->states[state].edges;
    uint32_t low = 0, high = r->states[state].edge_count;
    while (low < high) { /* the first edge that ends at or above the code point */
        uint32_t middle = low + (high - low) / 2;
        if (edges[middle].hi < code_point)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < r->states[state].edge_count && edges[low].lo <= code_point;
    return found ? edges[low].target : NONE;
}

bool regex_accepts(const regex *r, const char *text, size_t length) {
    uint32_t state = r->start;
    for (size_t at = 0; at < length && state != NONE;) {
        uint8_t byte = (uint8_t)text[at++];
        uint32_t more = byte < 0xC0 ? 0 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
        uint32_t code_point = more == 0 ? byte : byte & (0x3Fu >> more);
        for (; more > 0 && at < length; more--) code_point = code_point << 6 | ((uint8_t)text[at++] & 0x3F);
        state = regex_step(r, state, code_point);
    }
    return state != NONE && r->states[state].accepts;
}
