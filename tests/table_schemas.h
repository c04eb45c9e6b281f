/* table_schemas.h - schemas whose tables are changed and tried, by tests and by a fuzz target. Between them they fill every
 * section: names in both orders, counts, lengths, patterns, unique arrays, recursion. New ones stand last: the inputs of the
 * fuzz target choose by number. */
#ifndef WEIR_TESTS_TABLE_SCHEMAS_H
#define WEIR_TESTS_TABLE_SCHEMAS_H

static const char *const table_schemas[] = {
    "{\"type\":\"object\",\"properties\":{\"ab\":{\"type\":\"integer\"},\"ac\":{\"type\":\"string\",\"maxLength\":9},\"b\":"
    "{\"items\":{\"$ref\":\"#\"}}},\"required\":[\"b\",\"ab\"]}",
    "{\"type\":\"array\",\"minItems\":2,\"maxItems\":40,\"items\":{\"anyOf\":[{\"type\":\"number\",\"minimum\":-2.5},"
    "{\"enum\":[\"one\",\"two\",null]},{\"type\":\"object\",\"minProperties\":2,\"maxProperties\":4}]}}",
    "{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"type\":[\"integer\",\"string\",\"array\"],\"maxLength\":3,"
    "\"minimum\":0,\"maximum\":9,\"maxItems\":2,\"items\":{\"type\":\"boolean\"}}}",
    "{\"type\":\"string\",\"pattern\":\"^[a-f]{2,9}x?$\",\"not\":{\"enum\":[\"aa\",\"abx\"]}}",
    "{\"patternProperties\":{\"^a\":{\"type\":\"null\"}},\"additionalProperties\":{\"type\":\"boolean\"},\"minProperties\":1,"
    "\"maxProperties\":3}",
    "{\"uniqueItems\":true,\"items\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}},\"additionalProperties\":"
    "false},\"contains\":{\"required\":[\"a\"]}}",
};
enum { TABLE_SCHEMAS = sizeof table_schemas / sizeof *table_schemas };

#endif
