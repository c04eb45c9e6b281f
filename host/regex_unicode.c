/* regex_unicode.c - the name of a general category in, its code points out. The data are in regex_unicode.inc. */
#include <string.h>

#include "regex_build.h"

static const uint32_t runs[] = {
#include "regex_unicode.inc"
};

/* The order of scripts/unicode_classes.py. */
enum {
    LU, LL, LT, LM, LO, MN, MC, ME, ND, NL, NO, PC, PD, PS, PE, PI, PF, PO, SM, SC, SK, SO, ZS, ZL, ZP, CC, CF, CS, CO, CN
};
#define FROM_TO(first, last) ((2u << (last)) - (1u << (first)))
#define ONE(category) FROM_TO(category, category)

/* Names and aliases of PropertyValueAliases.txt. */
static const struct {
    char name[24];
    uint32_t categories;
} names[] = {
    {"L", FROM_TO(LU, LO)}, {"Letter", FROM_TO(LU, LO)},
    {"LC", FROM_TO(LU, LT)}, {"Cased_Letter", FROM_TO(LU, LT)},
    {"Lu", ONE(LU)}, {"Uppercase_Letter", ONE(LU)},
    {"Ll", ONE(LL)}, {"Lowercase_Letter", ONE(LL)},
    {"Lt", ONE(LT)}, {"Titlecase_Letter", ONE(LT)},
    {"Lm", ONE(LM)}, {"Modifier_Letter", ONE(LM)},
    {"Lo", ONE(LO)}, {"Other_Letter", ONE(LO)},
    {"M", FROM_TO(MN, ME)}, {"Mark", FROM_TO(MN, ME)}, {"Combining_Mark", FROM_TO(MN, ME)},
    {"Mn", ONE(MN)}, {"Nonspacing_Mark", ONE(MN)},
    {"Mc", ONE(MC)}, {"Spacing_Mark", ONE(MC)},
    {"Me", ONE(ME)}, {"Enclosing_Mark", ONE(ME)},
    {"N", FROM_TO(ND, NO)}, {"Number", FROM_TO(ND, NO)},
    {"Nd", ONE(ND)}, {"Decimal_Number", ONE(ND)}, {"digit", ONE(ND)},
    {"Nl", ONE(NL)}, {"Letter_Number", ONE(NL)},
    {"No", ONE(NO)}, {"Other_Number", ONE(NO)},
    {"P", FROM_TO(PC, PO)}, {"Punctuation", FROM_TO(PC, PO)}, {"punct", FROM_TO(PC, PO)},
    {"Pc", ONE(PC)}, {"Connector_Punctuation", ONE(PC)},
    {"Pd", ONE(PD)}, {"Dash_Punctuation", ONE(PD)},
    {"Ps", ONE(PS)}, {"Open_Punctuation", ONE(PS)},
    {"Pe", ONE(PE)}, {"Close_Punctuation", ONE(PE)},
    {"Pi", ONE(PI)}, {"Initial_Punctuation", ONE(PI)},
    {"Pf", ONE(PF)}, {"Final_Punctuation", ONE(PF)},
    {"Po", ONE(PO)}, {"Other_Punctuation", ONE(PO)},
    {"S", FROM_TO(SM, SO)}, {"Symbol", FROM_TO(SM, SO)},
    {"Sm", ONE(SM)}, {"Math_Symbol", ONE(SM)},
    {"Sc", ONE(SC)}, {"Currency_Symbol", ONE(SC)},
    {"Sk", ONE(SK)}, {"Modifier_Symbol", ONE(SK)},
    {"So", ONE(SO)}, {"Other_Symbol", ONE(SO)},
    {"Z", FROM_TO(ZS, ZP)}, {"Separator", FROM_TO(ZS, ZP)},
    {"Zs", ONE(ZS)}, {"Space_Separator", ONE(ZS)},
    {"Zl", ONE(ZL)}, {"Line_Separator", ONE(ZL)},
    {"Zp", ONE(ZP)}, {"Paragraph_Separator", ONE(ZP)},
    {"C", FROM_TO(CC, CN)}, {"Other", FROM_TO(CC, CN)},
    {"Cc", ONE(CC)}, {"Control", ONE(CC)}, {"cntrl", ONE(CC)},
    {"Cf", ONE(CF)}, {"Format", ONE(CF)},
    {"Cs", ONE(CS)}, {"Surrogate", ONE(CS)},
    {"Co", ONE(CO)}, {"Private_Use", ONE(CO)},
    {"Cn", ONE(CN)}, {"Unassigned", ONE(CN)},
};
/* Of the binary properties those that follow from the categories or from nothing. */
static const uint32_t any = FROM_TO(LU, CN), assigned = FROM_TO(LU, CO);

static bool is_name(const char *name, uint32_t length, const char *expected) {
    return strlen(expected) == length && memcmp(name, expected, length) == 0;
}

static uint32_t categories_of(const char *name, uint32_t length) {
    static const char *const keys[] = {"General_Category=", "gc="};
    bool keyed = false;
    for (int i = 0; i < 2 && !keyed; i++) {
        uint32_t key = (uint32_t)strlen(keys[i]);
        keyed = length > key && memcmp(name, keys[i], key) == 0;
        if (keyed) name += key, length -= key;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_name(name, length, names[i].name)) return names[i].categories;
    }
    if (!keyed && is_name(name, length, "Any")) return any;
    if (!keyed && is_name(name, length, "Assigned")) return assigned;
    return 0;
}

bool regex_ranges_property(compiler *c, regex_ranges *ranges, const char *name, uint32_t length, bool negated) {
    uint32_t categories = categories_of(name, length), lo = 0;
    if (is_name(name, length, "ASCII")) {
        PUSH(c, *ranges, ((regex_range){negated ? 0x80 : 0, negated ? REGEX_LAST_CODE_POINT : 0x7F}));
        return true;
    }
    if (categories == 0) return false;
    compiler_spend(c, 4 * (sizeof runs / sizeof *runs));
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        uint32_t hi = lo + runs[i] / 32 - 1;
        bool in = (categories >> runs[i] % 32 & 1) != negated;
        if (in) PUSH(c, *ranges, ((regex_range){lo, hi}));
        lo = hi + 1;
    }
    return true;
}
