/* test_hostile_schema.c - schemas made to cost much: deep, wide, exponential, endless. Each ends in a grammar or in an error
 * that says where, inside the default budgets. Times are printed, not judged: the budget of work is what bounds them. */
#include "hostile.h"

#define REFUSED HOSTILE_MAY_BE_REFUSED

/* " is written ', @ is the number of the piece, ` the one behind it. */
static const hostile_case deep[] = {
    {"100,000 brackets", "", "[", "", "]", "", 100000, WEIR_ERROR_JSON},
    {"100,000 open brackets", "", "[", "", "", "", 100000, WEIR_ERROR_JSON},
    {"items in items", "", "{'items':", "true", "}", "", 500, WEIR_OK},
    {"not in not", "", "{'not':", "{'type':'string'}", "}", "", 500, WEIR_OK},
    {"allOf in allOf", "", "{'allOf':[", "true", "]}", "", 250, WEIR_OK},
    {"anyOf in anyOf beside a type", "", "{'type':['string','object'],'anyOf':[true,", "false", "]}", "", 250, WEIR_OK},
    {"oneOf in oneOf", "", "{'oneOf':[{'const':@},", "{'const':'x'}", "]}", "", 250, WEIR_OK},
    {"properties in properties", "", "{'type':'object','required':['a'],'properties':{'a':", "true", "}}", "", 120, WEIR_OK},
    {"required properties deeper than the limit", "", "{'type':'object','required':['a'],'properties':{'a':", "true", "}}", "", 200, WEIR_OK},
    {"if in then", "", "{'if':{'minLength':@},'then':", "true", ",'else':{'maxLength':3}}", "", 400, WEIR_OK},
    {"a constant deeper than the limit", "{'const':", "[", "1", "]", "}", 400, WEIR_OK},
    {"contains in contains", "", "{'contains':", "{'const':1}", "}", "", 200, WEIR_OK},
    {"a chain of 10,000 references", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'$ref':'#/$defs/d`'},", "'d@':{'type':'null'}", "", "}}", 10000, REFUSED},
    {"a chain of references through items", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'items':{'$ref':'#/$defs/d`'}},", "'d@':{'type':'null'}", "", "}}", 10000, REFUSED},
    {"a circle of 10,000 references", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'$ref':'#/$defs/d`'},", "'d@':{'$ref':'#/$defs/d0'}", "", "}}", 10000, REFUSED},
    {"a circle through allOf", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'allOf':[{'$ref':'#/$defs/d`'}]},", "'d@':{'$ref':'#/$defs/d0'}", "", "}}", 1000, REFUSED},
    {"a circle through not", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'not':{'$ref':'#/$defs/d`'}},", "'d@':{'$ref':'#/$defs/d0'}", "", "}}", 100, REFUSED},
    {"each definition twice the next, allOf", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'allOf':[{'$ref':'#/$defs/d`'},{'$ref':'#/$defs/d`'}]},", "'d@':{'type':'null'}", "", "}}", 60, WEIR_OK},
    {"each definition twice the next, anyOf", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'anyOf':[{'$ref':'#/$defs/d`'},{'properties':{'x':{'$ref':'#/$defs/d`'}}}]},", "'d@':{'type':'null'}", "", "}}", 60, WEIR_OK},
    {"each definition twice the next, oneOf", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'oneOf':[{'$ref':'#/$defs/d`'},{'$ref':'#/$defs/d`'},{'minLength':@}]},", "'d@':{'type':'string'}", "", "}}", 60, WEIR_OK},
    {"each definition twice the next, properties", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'required':['x','y'],'type':'object','properties':{'x':{'$ref':'#/$defs/d`'},'y':{'$ref':'#/$defs/d`'}}},", "'d@':{'type':'null'}", "", "}}", 60, REFUSED},
    {"a pointer of 100,000 steps", "{'$ref':'#", "/a", "'", "", "}", 100000, WEIR_ERROR_SCHEMA},
    {"a pointer of 100,000 escapes", "{'$ref':'#/", "%41~0~1", "'", "", "}", 100000, WEIR_ERROR_SCHEMA},
    {"an identifier of a megabyte", "{'$id':'http://a/", "../b/./%41", "','$ref':'c'", "", "}", 100000, WEIR_ERROR_SCHEMA},
    {"dynamic references", "{'$dynamicRef':'#d0','$defs':{", "'d@':{'$dynamicAnchor':'d@','items':{'$dynamicRef':'#d`'},'allOf':[{'$dynamicRef':'#d`'}]},", "'d@':{'$dynamicAnchor':'d@','type':'array'}", "", "}}", 400, REFUSED},
    {"identifiers in identifiers", "", "{'$id':'http://h@/','items':", "{'$ref':'http://h0/'}", "}", "", 400, WEIR_OK},
};

static const hostile_case wide[] = {
    {"an enum of 100,000 integers", "{'enum':[", "@,", "@", "", "]}", 100000, REFUSED},
    {"an enum of 100,000 strings", "{'enum':[", "'value @ of many',", "'x'", "", "]}", 100000, REFUSED},
    {"an enum of 10,000 objects", "{'enum':[", "{'a':@,'b':[@,{'c':'@'}]},", "{}", "", "]}", 10000, REFUSED},
    {"an enum of all kinds", "{'enum':[", "@,'@',[@],{'@':@},-0.@,", "null", "", "]}", 3000, REFUSED},
    {"an enum of arrays in a unique array", "{'uniqueItems':true,'items':{'enum':[", "[@],", "null", "", "]}}", 5000, REFUSED},
    {"an enum beside not an enum", "{'type':'integer','not':{'enum':[", "@,", "@", "", "]}}", 20000, REFUSED},
    {"50,000 properties", "{'properties':{", "'name@':{'type':'integer'},", "'x':true", "", "}}", 50000, REFUSED},
    {"50,000 required names", "{'type':'object','required':[", "'name@',", "'x'", "", "]}", 50000, REFUSED},
    {"50,000 properties, closed", "{'additionalProperties':false,'properties':{", "'@':true,", "'x':true", "", "}}", 50000, REFUSED},
    {"5,000 properties in a unique array", "{'uniqueItems':true,'items':{'type':'object','additionalProperties':false,'properties':{", "'@':{'type':'boolean'},", "'x':{'type':'boolean'}", "", "}}}", 5000, REFUSED},
    {"10,000 $defs, unused", "{'$defs':{", "'d@':{'type':'object','properties':{'a':{'$ref':'#/$defs/d`'}}},", "'d@':true", "", "}}", 10000, WEIR_OK},
    {"10,000 $defs, used", "{'$ref':'#/$defs/d0','$defs':{", "'d@':{'type':'object','properties':{'a@':{'$ref':'#/$defs/d`'}}},", "'d@':true", "", "}}", 10000, REFUSED},
    {"10,000 anchors", "{'$ref':'#a7','$defs':{", "'d@':{'$anchor':'a@'},", "'d@':true", "", "}}", 10000, WEIR_OK},
    {"anyOf of 10,000 objects told apart by a constant", "{'anyOf':[", "{'type':'object','required':['kind'],'properties':{'kind':{'const':'k@'},'v@':{'type':'integer'}}},", "false", "", "]}", 10000, REFUSED},
    {"prefixItems of 50,000", "{'prefixItems':[", "{'const':@},", "true", "", "]}", 50000, REFUSED},
    {"1,000 patterns of names", "{'patternProperties':{", "'a.*@$':{'minLength':@},", "'x':true", "", "}}", 1000, REFUSED},
    {"200 patterns of names at the start", "{'patternProperties':{", "'^a@':{'minLength':@},", "'x':true", "", "}}", 200, WEIR_OK},
    {"dependentRequired of 2,000", "{'dependentRequired':{", "'a@':['a`'],", "'a@':['x']", "", "}}", 2000, REFUSED},
    {"dependentSchemas of 200", "{'dependentSchemas':{", "'a@':{'properties':{'b':{'minLength':@}}},", "'a@':false", "", "}}", 200, REFUSED},
    {"100,000 unknown keywords", "{", "'x-@':{'y':[@]},", "'z':0", "", "}", 100000, WEIR_OK},
    {"a constant of 5 MB", "{'const':'", "0123456789", "", "", "'}", 500000, REFUSED},
    {"a name of 1 MB", "{'type':'object','required':['", "0123456789", "", "", "']}", 100000, REFUSED},
};

static const hostile_case exponential[] = {
    {"allOf of 40 anyOf", "{'type':'object','allOf':[", "{'anyOf':[{'required':['a@']},{'required':['b@']}]},", "true", "", "]}", 40, REFUSED},
    {"oneOf of 30 required", "{'type':'object','oneOf':[", "{'required':['a@']},", "false", "", "]}", 30, WEIR_OK},
    {"oneOf of 40 properties", "{'type':'object','oneOf':[", "{'properties':{'a@':{'type':'integer'}}},", "false", "", "]}", 40, WEIR_OK},
    {"not anyOf of 40 allOf", "{'type':'object','not':{'anyOf':[", "{'allOf':[{'required':['a@']},{'properties':{'b@':{'const':1}}}]},", "false", "", "]}}", 40, REFUSED},
    {"anyOf of 30 nested objects", "{'anyOf':[", "{'properties':{'a':{'properties':{'b':{'properties':{'c@':{'const':@}}}}}}},", "false", "", "]}", 30, WEIR_OK},
    {"allOf of 30 if then else", "{'allOf':[", "{'if':{'required':['a@']},'then':{'properties':{'c':{'minimum':@}}},'else':{'required':['b@']}},", "true", "", "]}", 30, REFUSED},
    {"20 arrays that contain different things", "{'type':'array','allOf':[", "{'contains':{'const':@},'minContains':2,'maxContains':5},", "true", "", "]}", 20, REFUSED},
    {"unevaluatedProperties beside 20 anyOf", "{'unevaluatedProperties':false,'anyOf':[", "{'properties':{'a@':{'type':'integer'}},'required':['b@']},", "false", "", "]}", 20, WEIR_OK},
    {"unevaluatedItems beside 20 anyOf", "{'unevaluatedItems':false,'anyOf':[", "{'prefixItems':[{'const':@}],'contains':{'const':`}},", "false", "", "]}", 20, REFUSED},
    {"anyOf of 300 unevaluated", "{'anyOf':[", "{'properties':{'a@':true},'unevaluatedProperties':{'minLength':@}},", "false", "", "]}", 300, REFUSED},
    {"20 patterns that end alike", "{'type':'string','allOf':[", "{'pattern':'a@.*b@'},", "true", "", "]}", 20, REFUSED},
    {"12 multipleOf", "{'allOf':[", "{'multipleOf':1@7},", "true", "", "]}", 12, REFUSED},
    {"oneOf of 60 ranges", "{'type':'number','oneOf':[", "{'minimum':@,'maximum':`0},", "false", "", "]}", 60, WEIR_OK},
    {"oneOf of 100 lengths", "{'type':'string','oneOf':[", "{'minLength':@,'maxLength':`0},", "false", "", "]}", 100, WEIR_OK},
    {"oneOf of 60 counts of items", "{'type':'array','oneOf':[", "{'minItems':@,'maxItems':`0},", "false", "", "]}", 60, WEIR_OK},
    {"oneOf of 20 counts of members", "{'type':'object','oneOf':[", "{'minProperties':@,'maxProperties':`0},", "false", "", "]}", 20, WEIR_OK},
    {"oneOf of a recursion", "{'oneOf':[", "{'items':{'$ref':'#'},'minItems':@},", "{'type':'null'}", "", "]}", 30, WEIR_OK},
    {"propertyNames of 30 anyOf", "{'propertyNames':{'anyOf':[", "{'pattern':'^a{@}b*c{`}'},", "false", "", "]},'minProperties':3}", 30, WEIR_OK},
};

/* Whether such an array can still end is looked for at every token: the dearest masks there are. */
static const hostile_case unique[] = {
    {"unique enum, all of it needed", "{'uniqueItems':true,'minItems':100,'items':{'enum':[", "'v@',", "'x'", "", "]}}", 99, REFUSED},
    {"unique objects of 300 booleans", "{'uniqueItems':true,'minItems':2,'items':{'type':'object','additionalProperties':false,'properties':{", "'p@':{'type':'boolean'},", "'x':{'const':1}", "", "}}}", 300, REFUSED},
    {"unique objects of 12 required booleans", "{'uniqueItems':true,'minItems':500,'items':{'type':'object','additionalProperties':false,'properties':{", "'p@':{'type':'boolean'},", "'x':{'const':1}", "", "},'required':['p0','p1','p2','p3','p4','p5','p6','p7','p8','p9']}}", 12, REFUSED},
    {"unique arrays of unique booleans", "", "{'uniqueItems':true,'type':'array','maxItems':8,'items':", "{'type':'boolean'}", "}", "", 6, REFUSED},
    {"unique arrays in arrays, all needed", "{'uniqueItems':true,'minItems':32,'items':{'type':'array','minItems':5,'maxItems':5,'items':{'type':'boolean'}}}", "", "", "", "", 0, REFUSED},
    {"unique short strings, all needed", "{'uniqueItems':true,'minItems':900,'items':{'type':'string','pattern':'^[a-z]{2}$'}}", "", "", "", "", 0, REFUSED},
    {"unique numbers of one digit", "{'uniqueItems':true,'minItems':10,'items':{'type':'integer','minimum':0,'maximum':9}}", "", "", "", "", 0, REFUSED},
    {"unique items that contain", "{'uniqueItems':true,'items':{'enum':[1,2,3,4,5,6,7,8,[1],[2],{'a':1},{'a':2}]},'contains':{'type':'object'},'minContains':2,'minItems':11}", "", "", "", "", 0, REFUSED},
    {"unique anything, 1,000 of it", "{'uniqueItems':true,'minItems':1000}", "", "", "", "", 0, REFUSED},
};

static const hostile_case numbers[] = {
    {"maximum 1e999999999", "{'maximum':1e999999999", "", "", "", "}", 0, REFUSED},
    {"const 1e999999999", "{'const':1e999999999", "", "", "", "}", 0, REFUSED},
    {"const 1e-99999999999999999999", "{'const':1e-99999999999999999999", "", "", "", "}", 0, REFUSED},
    {"a minimum of 10,000 digits", "{'minimum':1", "7", "", "", "}", 10000, REFUSED},
    {"a constant of 10,000 digits", "{'const':1", "7", "", "", "}", 10000, REFUSED},
    {"an enum of numbers of 1,000 digits", "{'enum':[1", "7", ",2]", "", "}", 1000, REFUSED},
    {"multipleOf 1e-300", "{'multipleOf':1e-300", "", "", "", "}", 0, REFUSED},
    {"multipleOf 0.1234567890123", "{'multipleOf':0.1234567890123", "", "", "", "}", 0, REFUSED},
    {"multipleOf a large prime", "{'type':'integer','multipleOf':2147483647", "", "", "", "}", 0, REFUSED},
    {"multipleOf 100003", "{'type':'integer','multipleOf':100003", "", "", "", "}", 0, REFUSED},
    {"minLength 1e18", "{'type':'string','minLength':1000000000000000000", "", "", "", "}", 0, REFUSED},
    {"minLength beyond 64 bits", "{'type':'string','minLength':1", "0", "", "", "}", 30, WEIR_ERROR_SCHEMA},
    {"minLength 100,000,000", "{'type':'string','minLength':100000000", "", "", "", "}", 0, WEIR_OK},
    {"maxLength 4294967295", "{'type':'string','minLength':4294967295,'maxLength':4294967295", "", "", "", "}", 0, REFUSED},
    {"minItems 4294967295", "{'type':'array','minItems':4294967295", "", "", "", "}", 0, REFUSED},
    {"minItems 1,000,000 beside contains", "{'type':'array','minItems':1000000,'contains':{'const':1},'minContains':999999", "", "", "", "}", 0, REFUSED},
    {"minProperties 1,000,000", "{'type':'object','minProperties':1000000", "", "", "", "}", 0, REFUSED},
    {"unique items that cannot be so many", "{'type':'array','uniqueItems':true,'minItems':100000,'items':{'type':'integer'}", "", "", "", "}", 0, REFUSED},
    {"negative and broken counts", "{'minLength':-1,'maxItems':1.5", "", "", "", "}", 0, WEIR_ERROR_SCHEMA},
};

static const hostile_case large[] = {
    {"10 MB of open objects", "", "{'a':", "", "", "", 2000000, WEIR_ERROR_JSON},
    {"10 MB of space", "", "          ", "", "", "", 1000000, WEIR_ERROR_JSON},
    {"10 MB of a string without end", "'", "0123456789", "", "", "", 1000000, WEIR_ERROR_JSON},
    {"10 MB of bytes that are not UTF-8", "{'a':'", "\xff\xfe\xc0\x80", "", "", "'}", 2500000, WEIR_ERROR_JSON},
    {"10 MB of a description", "{'type':'null','description':'", "0123456789", "", "", "'}", 1000000, WEIR_OK},
    {"10 MB of an unknown keyword", "{'type':'null','x':[", "{'a':[@]},", "0", "", "]}", 700000, WEIR_OK},
    {"10 MB of a default", "{'type':'null','default':[", "@,", "0", "", "]}", 1300000, WEIR_OK},
    {"10 MB of an enum", "{'enum':[", "'@ abc',", "0", "", "]}", 800000, REFUSED},
    {"10 MB of properties", "{'properties':{", "'@':{'type':'string'},", "'x':{}", "", "}}", 400000, REFUSED},
    {"10 MB of $defs", "{'$defs':{", "'@':{'type':'string'},", "'x':{}", "", "}}", 400000, WEIR_OK},
    {"10 MB of members named alike", "{", "'a':0,", "'a':0", "", "}", 1700000, WEIR_ERROR_JSON},
    {"10 MB of anyOf", "{'anyOf':[", "{'const':@},", "false", "", "]}", 600000, REFUSED},
    {"10 MB of a pattern", "{'pattern':'", "(a|b)*c?d", "", "", "'}", 1100000, REFUSED},
};

#define COUNT(cases) (sizeof(cases) / sizeof *(cases))

TEST(hostile_schema, deep_ones_end_inside_the_budgets) { hostile_compile_small(deep, COUNT(deep)); }
TEST(hostile_schema, wide_ones_end_inside_the_budgets) { hostile_compile_small(wide, COUNT(wide)); }
TEST(hostile_schema, exponential_ones_end_inside_the_budgets) { hostile_compile_small(exponential, COUNT(exponential)); }
TEST(hostile_schema, numbers_without_measure_end_inside_the_budgets) { hostile_compile_small(numbers, COUNT(numbers)); }
TEST(hostile_schema, unique_arrays_end_inside_the_budgets) { hostile_compile_small(unique, COUNT(unique)); }
TEST(hostile_schema, ten_megabytes_end_inside_the_budgets) { hostile_compile_small(large, COUNT(large)); }

TEST(hostile_schema, those_of_many_masks_end_with_a_real_vocabulary) {
    hostile_compile_real(deep, COUNT(deep));
    hostile_compile_real(exponential, COUNT(exponential));
    hostile_compile_real(unique, COUNT(unique));
    hostile_compile_real(numbers, COUNT(numbers));
}
