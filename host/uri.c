/* uri.c - a URI reference and a base in, the target URI out (RFC 3986, section 5). */
#include "uri.h"

#include <string.h>

/* The five parts of a URI reference; text is NULL where a part is not there (which differs from an empty one). */
typedef struct parts {
    uri scheme, authority, path, query, fragment;
} parts;

static parts split_parts(uri whole);
static uri merge_paths(compiler *c, const parts *base, uri path);
static uri remove_dots(compiler *c, uri path);
static uri compose(compiler *c, const parts *p);

uri uri_resolve(compiler *c, uri base, uri reference) {
    compiler_spend(c, 50 + (uint64_t)base.length + reference.length);
    parts from = split_parts(base), target = split_parts(reference);
    if (target.scheme.text == NULL && base.length != 0) {
        target.scheme = from.scheme;
        if (target.authority.text == NULL) {
            target.authority = from.authority;
            if (target.path.length == 0) {
                target.path = from.path;
                if (target.query.text == NULL) target.query = from.query;
            } else if (target.path.text[0] != '/') {
                target.path = merge_paths(c, &from, target.path);
            }
        }
    } else if (target.scheme.text == NULL) {
        return compose(c, &target); /* "../a" stays what it is as long as nothing says from where */
    }
    target.path = remove_dots(c, target.path);
    return compose(c, &target);
}

uri uri_split(uri whole, uri *fragment) {
    const char *mark = whole.length != 0 ? memchr(whole.text, '#', whole.length) : NULL;
    if (mark == NULL) {
        *fragment = (uri){"", 0};
        return whole;
    }
    uint32_t before = (uint32_t)(mark - whole.text);
    *fragment = (uri){mark + 1, whole.length - before - 1};
    return (uri){whole.text, before};
}

bool uri_equal(uri left, uri right) {
    return left.length == right.length && (left.length == 0 || memcmp(left.text, right.text, left.length) == 0);
}

/* --- parts ------------------------------------------------------------------------------------------------------ */

static bool is_letter(char b) {
    return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
}

/* Bytes of "scheme" in "scheme:", or 0. */
static uint32_t scheme_length(uri u) {
    if (u.length == 0 || !is_letter(u.text[0])) return 0;
    for (uint32_t i = 1; i < u.length; i++) {
        char b = u.text[i];
        if (b == ':') return i;
        if (!is_letter(b) && !(b >= '0' && b <= '9') && b != '+' && b != '-' && b != '.') return 0;
    }
    return 0;
}

/* The bytes up to the first of `ends`, which `rest` loses. */
static uri take(uri *rest, const char *ends) {
    uint32_t i = 0;
    while (i < rest->length && (rest->text[i] == '\0' || strchr(ends, rest->text[i]) == NULL)) i++;
    uri taken = {rest->text, i};
    rest->text += i;
    rest->length -= i;
    return taken;
}

static void drop(uri *rest, uint32_t count) {
    rest->text += count;
    rest->length -= count;
}

static parts split_parts(uri whole) {
    parts p;
    uri rest = whole.length != 0 ? whole : (uri){"", 0};
    memset(&p, 0, sizeof p);
    uint32_t scheme = scheme_length(rest);
    if (scheme != 0) {
        p.scheme = (uri){rest.text, scheme};
        drop(&rest, scheme + 1);
    }
    if (rest.length >= 2 && rest.text[0] == '/' && rest.text[1] == '/') {
        drop(&rest, 2);
        p.authority = take(&rest, "/?#");
    }
    p.path = take(&rest, "?#");
    if (rest.length != 0 && rest.text[0] == '?') {
        drop(&rest, 1);
        p.query = take(&rest, "#");
    }
    if (rest.length != 0) p.fragment = (uri){rest.text + 1, rest.length - 1};
    return p;
}

static char *append(char *to, const char *before, uri part, const char *behind) {
    if (part.text == NULL) return to;
    memcpy(to, before, strlen(before));
    to += strlen(before);
    memcpy(to, part.text, part.length);
    to += part.length;
    memcpy(to, behind, strlen(behind));
    return to + strlen(behind);
}

static uri compose(compiler *c, const parts *p) {
    size_t size =
        (size_t)p->scheme.length + p->authority.length + p->path.length + p->query.length + p->fragment.length;
    char *text = compiler_new(c, size + sizeof "://?#"), *to = text;
    to = append(to, "", p->scheme, ":");
    to = append(to, "//", p->authority, "");
    to = append(to, "", p->path, "");
    to = append(to, "?", p->query, "");
    to = append(to, "#", p->fragment, "");
    *to = '\0';
    return (uri){text, (uint32_t)(to - text)};
}

/* --- paths ------------------------------------------------------------------------------------------------------ */

/* The base's path up to its last '/', and the reference's behind it. */
static uri merge_paths(compiler *c, const parts *base, uri path) {
    uri folder = base->path;
    while (folder.length != 0 && folder.text[folder.length - 1] != '/') folder.length--;
    if (base->path.length == 0 && base->authority.text != NULL) folder = (uri){"/", 1};
    char *text = compiler_new(c, (size_t)folder.length + path.length + 1);
    memcpy(text, folder.text, folder.length);
    memcpy(text + folder.length, path.text, path.length);
    return (uri){text, folder.length + path.length};
}

/* "/a/b/../c/./d" -> "/a/c/d"; ".." above the top goes. A path without a leading '/' keeps having none. */
static uri remove_dots(compiler *c, uri path) {
    char *out = compiler_new(c, (size_t)path.length + 1);
    uint32_t root = path.length != 0 && path.text[0] == '/', used = root;
    if (root) out[0] = '/';
    for (uint32_t at = root, end = root; end < path.length; at = end + 1) {
        /* out: the root and segments, each with a '/' behind it */
        const char *slash = at < path.length ? memchr(path.text + at, '/', path.length - at) : NULL;
        end = slash != NULL ? (uint32_t)(slash - path.text) : path.length;
        uint32_t length = end - at;
        if (length == 2 && path.text[at] == '.' && path.text[at + 1] == '.') {
            if (used > root) used--;
            while (used > root && out[used - 1] != '/') used--;
        } else if (length != 1 || path.text[at] != '.') {
            memcpy(out + used, path.text + at, length);
            used += length;
            if (slash != NULL) out[used++] = '/';
        }
    }
    return (uri){out, used};
}

/* --- percent-encoding ------------------------------------------------------------------------------------------- */

static int hex_digit(char b) {
    if (b >= '0' && b <= '9') return b - '0';
    if (b >= 'a' && b <= 'f') return b - 'a' + 10;
    if (b >= 'A' && b <= 'F') return b - 'A' + 10;
    return -1;
}

uri uri_decode(compiler *c, uri text) {
    if (text.length == 0 || memchr(text.text, '%', text.length) == NULL) return text;
    char *out = compiler_new(c, (size_t)text.length + 1);
    uint32_t used = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        bool escape = text.text[i] == '%' && i + 2 < text.length && hex_digit(text.text[i + 1]) >= 0 &&
                      hex_digit(text.text[i + 2]) >= 0;
        out[used++] = escape ? (char)(hex_digit(text.text[i + 1]) * 16 + hex_digit(text.text[i + 2])) : text.text[i];
        if (escape) i += 2;
    }
    out[used] = '\0';
    return (uri){out, used};
}
