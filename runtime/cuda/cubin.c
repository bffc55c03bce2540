#include "cubin.h"

#include <elf.h>
#include <string.h>

enum { MACHINE_CUDA = 190 };

/* Records of .nv.info: { u8 format, u8 attribute, u16 value }; format 4 has `value` bytes behind it. */
enum {
    FORMAT_SIZED = 4,
    MAX_THREADS = 0x05,     /* u32 x 3 */
    FRAME_SIZE = 0x11,      /* symbol, bytes */
    PARAMETER = 0x17,       /* u32; ordinal (low half), offset (high half); size << 18 | ... */
    PARAMETER_BYTES = 0x19, /* the value */
    REGISTER_COUNT = 0x2f,  /* symbol, registers */
};

struct bytes {
    const unsigned char *at;
    size_t size;
};
struct section {
    const char *name;
    uint32_t type, link;
    struct bytes body;
    uint64_t size;
};
struct image {
    struct bytes all, sections, names;
    Elf64_Ehdr head;
};

/* The part [from, from + size) of some bytes; empty if it is not all there. */
static struct bytes part(struct bytes b, uint64_t from, uint64_t size)
{
    if (from > b.size || size > b.size - from)
        return (struct bytes){0};
    return (struct bytes){b.at + from, (size_t)size};
}

static bool copy(struct bytes b, uint64_t from, void *to, size_t size)
{
    struct bytes p = part(b, from, size);
    if (p.at)
        memcpy(to, p.at, size);
    return p.at;
}

/* A name in a table of strings; NULL if it does not end there. */
static const char *text(struct bytes table, uint64_t from)
{
    bool ends = from < table.size && memchr(table.at + from, '\0', table.size - (size_t)from);
    return ends ? (const char *)table.at + from : NULL;
}

static bool section_at(const struct image *f, uint32_t i, struct section *s)
{
    Elf64_Shdr h;
    if (!copy(f->sections, (uint64_t)i * sizeof h, &h, sizeof h))
        return false;
    *s = (struct section){.name = text(f->names, h.sh_name), .type = h.sh_type, .link = h.sh_link, .size = h.sh_size};
    if (h.sh_type != SHT_NOBITS)
        s->body = part(f->all, h.sh_offset, h.sh_size);
    return h.sh_type == SHT_NOBITS || s->body.at;
}

static bool image_of(const void *bytes, size_t size, struct image *f)
{
    struct section names;
    *f = (struct image){.all = {bytes, size}};
    if (!copy(f->all, 0, &f->head, sizeof f->head) || memcmp(f->head.e_ident, ELFMAG, SELFMAG) != 0 ||
        f->head.e_ident[EI_CLASS] != ELFCLASS64 || f->head.e_machine != MACHINE_CUDA ||
        f->head.e_shentsize != sizeof(Elf64_Shdr))
        return false;
    f->sections = part(f->all, f->head.e_shoff, (uint64_t)f->head.e_shnum * sizeof(Elf64_Shdr));
    if (!section_at(f, f->head.e_shstrndx, &names))
        return false;
    f->names = names.body;
    return true;
}

/* The section called `prefix` and, unless NULL, `.kernel` behind it. */
static bool find(const struct image *f, const char *prefix, const char *kernel, struct section *s)
{
    size_t n = strlen(prefix);
    for (uint32_t i = 0; i < f->head.e_shnum; i++)
        if (section_at(f, i, s) && s->name && strncmp(s->name, prefix, n) == 0 &&
            (kernel ? s->name[n] == '.' && strcmp(s->name + n + 1, kernel) == 0 : !s->name[n]))
            return true;
    return false;
}

/* The number of a symbol; 0, which is none's: not there. */
static uint32_t symbol(const struct image *f, const char *name)
{
    struct section table, names;
    Elf64_Sym s;
    if (!find(f, ".symtab", NULL, &table) || !section_at(f, table.link, &names))
        return 0;
    for (uint32_t i = 1; copy(table.body, (uint64_t)i * sizeof s, &s, sizeof s); i++) {
        const char *is = text(names.body, s.st_name);
        if (is && ELF64_ST_TYPE(s.st_info) == STT_FUNC && strcmp(is, name) == 0)
            return i;
    }
    return 0;
}

struct record {
    unsigned char format, attribute;
    uint16_t value;
    struct bytes body;
};

static bool next_record(struct bytes *rest, struct record *r)
{
    if (!copy(*rest, 0, r, 4))
        return false;
    r->body = (struct bytes){0};
    size_t size = r->format == FORMAT_SIZED ? r->value : 0;
    if (size && !(r->body = part(*rest, 4, size)).at)
        return false;
    *rest = (struct bytes){rest->at + 4 + size, rest->size - 4 - size};
    return true;
}

static bool parameter(const struct record *r, struct cubin_kernel *k)
{
    uint32_t word[3];
    if (!copy(r->body, 0, word, sizeof word) || (word[1] & 0xffff) >= CUBIN_PARAMETERS)
        return false;
    int i = (int)(word[1] & 0xffff);
    k->parameter[i].offset = (uint16_t)(word[1] >> 16);
    k->parameter[i].size = (uint16_t)(word[2] >> 18);
    k->parameters = i + 1 > k->parameters ? i + 1 : k->parameters;
    return true;
}

static bool read_kernel(struct bytes info, struct cubin_kernel *k)
{
    struct record r;
    while (info.size) {
        if (!next_record(&info, &r) || (r.attribute == PARAMETER && !parameter(&r, k)) ||
            (r.attribute == MAX_THREADS && !copy(r.body, 0, &k->max_threads, sizeof k->max_threads)))
            return false;
        if (r.attribute == PARAMETER_BYTES)
            k->parameter_bytes = r.value;
    }
    return true;
}

/* Registers and frame of all kernels stand together. */
static bool read_common(struct bytes info, uint32_t symbol, struct cubin_kernel *k)
{
    struct record r;
    bool registers = false, frame = false;
    while (info.size) {
        uint32_t word[2];
        if (!next_record(&info, &r))
            return false;
        if ((r.attribute != REGISTER_COUNT && r.attribute != FRAME_SIZE) || !copy(r.body, 0, word, sizeof word) ||
            word[0] != symbol)
            continue;
        *(r.attribute == FRAME_SIZE ? &k->frame : &k->registers) = word[1];
        *(r.attribute == FRAME_SIZE ? &frame : &registers) = true;
    }
    return registers && frame;
}

bool cubin_kernel(const void *image, size_t bytes, const char *name, struct cubin_kernel *k)
{
    struct image f;
    struct section own, common, shared;
    *k = (struct cubin_kernel){0};
    if (!image_of(image, bytes, &f) || !find(&f, ".nv.info", name, &own) || !find(&f, ".nv.info", NULL, &common))
        return false;
    uint32_t number = symbol(&f, name);
    if (find(&f, ".nv.shared", name, &shared))
        k->shared = shared.size;
    return number && read_kernel(own.body, k) && read_common(common.body, number, k);
}
