/* suite_count.c - durations in, percentiles out; messages in, groups and counts out; the names of the verdicts. */
#include "suite.h"

#include <ctype.h>

/* --- times ----------------------------------------------------------------------------------------------------------
 */

/* Below 256 ns each nanosecond has a bucket; above, each power of two has 128 of them. The last one holds the rest. */
static uint32_t bucket_of(uint64_t nanoseconds) {
    uint32_t shift = 0;
    while (nanoseconds >> shift >= 256) shift++;
    uint64_t bucket = (uint64_t)shift * 128 + (nanoseconds >> shift);
    return bucket < SUITE_BUCKETS ? (uint32_t)bucket : SUITE_BUCKETS - 1;
}

/* The middle of a bucket. */
static double bucket_value(uint32_t bucket) {
    if (bucket < 256) return bucket;
    uint32_t shift = bucket / 128 - 1;
    uint64_t low = (uint64_t)(bucket - shift * 128) << shift;
    return (double)low + (double)((1ull << shift) - 1) / 2;
}

void suite_times_add(suite_times *times, double microseconds) {
    uint64_t nanoseconds = microseconds > 0 ? (uint64_t)(microseconds * 1e3 + 0.5) : 0;
    times->count++;
    times->sum += nanoseconds;
    if (nanoseconds > times->most) times->most = nanoseconds;
    times->buckets[bucket_of(nanoseconds)]++;
}

double suite_times_percentile(const suite_times *times, double share) {
    double rank = share * (double)times->count, passed = 0;
    for (uint32_t i = 0; i < SUITE_BUCKETS && times->count > 0; i++) {
        passed += (double)times->buckets[i];
        if (passed < rank || times->buckets[i] == 0) continue;
        double value = bucket_value(i), most = (double)times->most;
        return (value < most ? value : most) / 1e3;
    }
    return (double)times->most / 1e3;
}

/* What stands before the buckets of a packed series, and each of them. */
typedef struct packed_head {
    uint64_t count, sum, most, buckets;
} packed_head;

typedef struct packed_bucket {
    uint64_t bucket, count;
} packed_bucket;

void suite_times_pack(const suite_times *times, suite_text *to) {
    packed_head head = {times->count, times->sum, times->most, 0};
    for (uint32_t i = 0; i < SUITE_BUCKETS; i++) head.buckets += times->buckets[i] > 0;
    suite_put(to, &head, sizeof head);
    for (uint32_t i = 0; i < SUITE_BUCKETS; i++) {
        packed_bucket packed = {i, times->buckets[i]};
        if (packed.count > 0) suite_put(to, &packed, sizeof packed);
    }
}

bool suite_times_unpack(suite_times *times, const char *bytes, size_t length, size_t *at) {
    packed_head head;
    packed_bucket packed;
    if (length - *at < sizeof head) return false;
    memcpy(&head, bytes + *at, sizeof head);
    *at += sizeof head;
    if (head.buckets > (length - *at) / sizeof packed) return false;
    times->count += head.count;
    times->sum += head.sum;
    if (head.most > times->most) times->most = head.most;
    for (uint64_t i = 0; i < head.buckets; i++, *at += sizeof packed) {
        memcpy(&packed, bytes + *at, sizeof packed);
        if (packed.bucket >= SUITE_BUCKETS) return false;
        times->buckets[packed.bucket] += packed.count;
    }
    return true;
}

void suite_times_put(const suite_times *times, bool as_json, suite_text *to) {
    static const struct {
        const char *name;
        double share;
    } ranks[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
    double mean = times->count > 0 ? (double)times->sum / (double)times->count / 1e3 : 0;
    suite_put_format(to, as_json ? "{\"n\": %" PRIu64 ", \"mean\": %.3f" : "n=%" PRIu64 " mean=%.3f", times->count,
                     mean);
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        suite_put_format(to, as_json ? ", \"%s\": %.3f" : " %s=%.3f", ranks[i].name,
                         suite_times_percentile(times, ranks[i].share));
    }
    suite_put_format(to, as_json ? ", \"max\": %.3f}" : " max=%.3f", (double)times->most / 1e3);
}

/* --- refusals -------------------------------------------------------------------------------------------------------
 */

/* The names that stay in a group's text: the keywords of the drafts. Every other quoted text becomes "...". */
static bool is_keyword(const char *name, size_t length) {
    static const char keywords[] =
        " $anchor $defs $dynamicAnchor $dynamicRef $id $recursiveAnchor $recursiveRef $ref $schema $vocabulary "
        "additionalItems additionalProperties allOf anyOf const contains contentEncoding contentMediaType "
        "contentSchema "
        "default definitions dependencies dependentRequired dependentSchemas disallow divisibleBy else enum "
        "exclusiveMaximum exclusiveMinimum extends format id if items maxContains maxItems maxLength maxProperties "
        "maximum minContains minItems minLength minProperties minimum multipleOf not oneOf pattern patternProperties "
        "prefixItems properties propertyNames required then type unevaluatedItems unevaluatedProperties uniqueItems ";
    char wanted[40];
    if (length + 3 > sizeof wanted || memchr(name, ' ', length)) return false;
    snprintf(wanted, sizeof wanted, " %.*s ", (int)length, name);
    return strstr(keywords, wanted) != NULL;
}

/* The message without pointers, names and numbers, cut where it is long. */
static void generalise(const char *message, char *out, size_t capacity) {
    size_t used = 0;
    for (const char *at = message; *at && used + 48 < capacity;) {
        const char *end = at + 1;
        if (*at == '"') {
            while (*end && *end != '"') end += end[0] == '\\' && end[1] ? 2 : 1;
            bool keyword = is_keyword(at + 1, (size_t)(end - at - 1));
            used += (size_t)snprintf(out + used, capacity - used, "\"%.*s\"", keyword ? (int)(end - at - 1) : 3,
                                     keyword ? at + 1 : "...");
            at = *end ? end + 1 : end;
        } else if (at[0] == '#' && at[1] == '/') {
            while (*end && !strchr(" :,", *end)) end++;
            out[used++] = '#';
            at = end;
        } else if (isdigit((unsigned char)*at)) {
            while (isalnum((unsigned char)*end)) end++;
            out[used++] = 'N';
            at = end;
        } else {
            out[used++] = *at++;
        }
    }
    out[used] = '\0';
}

bool suite_reasons_add(suite_reasons *reasons, const char *message) {
    enum { GROUPS_MAX = 1000 };
    char text[sizeof reasons->items->text];
    generalise(message, text, sizeof text);
    if (reasons->count >= GROUPS_MAX - 1) snprintf(text, sizeof text, "other reasons");
    for (size_t i = 0; i < reasons->count; i++) {
        if (strcmp(reasons->items[i].text, text) != 0) continue;
        reasons->items[i].count++;
        return true;
    }
    if (reasons->count == reasons->capacity) {
        size_t capacity = 2 * reasons->capacity + 16;
        suite_reason *larger = realloc(reasons->items, capacity * sizeof *larger);
        if (larger == NULL) return false;
        reasons->items = larger;
        reasons->capacity = capacity;
    }
    suite_reason *added = &reasons->items[reasons->count++];
    memcpy(added->text, text, sizeof text);
    added->count = 1;
    return true;
}

static int compare_reasons(const void *a, const void *b) {
    const suite_reason *left = a, *right = b;
    if (left->count != right->count) return left->count < right->count ? 1 : -1;
    return strcmp(left->text, right->text);
}

void suite_reasons_sort(suite_reasons *reasons) {
    if (reasons->count > 0) qsort(reasons->items, reasons->count, sizeof *reasons->items, compare_reasons);
}

/* --- verdicts -------------------------------------------------------------------------------------------------------
 */

const char *const suite_class_names[SUITE_CLASSES] = {
    [SUITE_PASSING] = "passing",
    [SUITE_REFUSED] = "refused",
    [SUITE_INVALID_RECORDED] = "invalid_accepted_recorded",
    [SUITE_VALID_REJECTED] = "valid_rejected",
    [SUITE_INVALID_SILENT] = "invalid_accepted_silent",
    [SUITE_CRASHED] = "crashed",
    [SUITE_MALFORMED] = "malformed",
};

void suite_put_classes(suite_text *to, const uint64_t counts[SUITE_CLASSES]) {
    suite_put_format(to,
                     "passing=%" PRIu64 " refused=%" PRIu64 " valid_rejected=%" PRIu64
                     " invalid_accepted_silent=%" PRIu64 " invalid_accepted_recorded=%" PRIu64 " crashes=%" PRIu64,
                     counts[SUITE_PASSING], counts[SUITE_REFUSED], counts[SUITE_VALID_REJECTED],
                     counts[SUITE_INVALID_SILENT], counts[SUITE_INVALID_RECORDED], counts[SUITE_CRASHED]);
}
