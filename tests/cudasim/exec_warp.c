/* Instructions whose lanes look at each other: shuffles, votes, matches, reductions. */
#include <string.h>

#include "ptx_internal.h"
#include "lanes.h"

enum shuffle { SHUFFLE_UP, SHUFFLE_DOWN, SHUFFLE_BFLY, SHUFFLE_IDX };
enum vote { VOTE_ALL, VOTE_ANY, VOTE_UNI, VOTE_BALLOT };

/* The member masks of all active lanes together; every lane has to name itself. */
static uint32_t members_of(struct warp *w, const struct insn *in, uint32_t reference)
{
    const u32 *masks = row(w, reference);
    uint32_t all = 0;
    if (reference & 1 && !(w->mask & ~masks[0])) /* a constant: the same for all lanes */
        return masks[0] & w->born;
    for (uint32_t left = w->mask; left; left &= left - 1) {
        const int lane = __builtin_ctz(left);
        all |= masks[lane];
        if (!(masks[lane] >> lane & 1))
            exec_fault(w, in, lane, FAULT_TRAP, "the member mask 0x%x does not name the thread itself", masks[lane]);
    }
    return all & w->born;
}

/* shfl.sync d[|p], a, b, c, members: b is the lane or distance, c holds clamp (bits 0-4) and segment mask (8-12). */
static void shuffle(struct warp *w, const struct insn *in)
{
    const unsigned first = in->dsts;
    if (!warp_gathered(w, in, members_of(w, in, in->reg[first + 3])))
        return;
    const u32 *a = row(w, in->reg[first]), *pb = row(w, in->reg[first + 1]), *pc = row(w, in->reg[first + 2]);
    s32 from[LANES];
    u32 value[LANES], inside[LANES];
    EACH_LANE(l)
    {
        const s32 b = (s32)(pb[l] & 31), clamp = (s32)(pc[l] & 31), segment = (s32)(pc[l] >> 8 & 31);
        const s32 bottom = l & segment, top = bottom | (clamp & ~segment);
        const s32 up = l - b, down = l + b, across = l ^ b, chosen = bottom | (b & ~segment);
        const s32 wanted = in->mode == SHUFFLE_UP     ? up
                           : in->mode == SHUFFLE_DOWN ? down
                           : in->mode == SHUFFLE_BFLY ? across
                                                      : chosen;
        const bool valid = in->mode == SHUFFLE_UP ? wanted >= top : wanted <= top;
        from[l] = valid ? wanted : l;
        inside[l] = -(u32)valid;
    }
    for (int lane = 0; lane < LANES && w->mask != ALL_LANES; lane++)
        if (w->mask >> lane & 1 && !(w->mask >> from[lane] & 1))
            exec_fault(w, in, lane, FAULT_TRAP, "shuffle from lane %d, which does not take part", from[lane]);
    GATHER_LANES(value, a[from[l]])
    u32 *d = row(w, in->reg[0]);
    STORE_LANES(w, d, u32, value[l])
    if (in->dsts == 2) {
        pred *p = row(w, in->reg[1]);
        STORE_LANES(w, p, pred, inside[l])
    }
}

static void decode_shuffle(struct parser *p, const struct statement *s, struct insn *in)
{
    static const char *const names[] = {"shfl.sync.up.b32", "shfl.sync.down.b32", "shfl.sync.bfly.b32",
                                        "shfl.sync.idx.b32"};
    for (uint8_t i = 0; i < 4; i++)
        if (!strcmp(s->opcode, names[i])) {
            in->mode = i;
            in->run = shuffle;
        }
    if (!in->run || s->operands != 5)
        unknown_form(p, s);
    add_destination(p, s, in, &s->operand[0].element[0], 'w');
    if (s->operand[0].second.kind != OPERAND_NONE)
        add_destination(p, s, in, &s->operand[0].second, 'p');
    for (uint32_t i = 1; i < 5; i++)
        add_source(p, s, in, &s->operand[i].element[0], 'w');
}

/* vote.sync.MODE d, [!]predicate, members */
static void vote(struct warp *w, const struct insn *in)
{
    if (!warp_gathered(w, in, members_of(w, in, in->reg[2])))
        return;
    const uint32_t yes = predicate_lanes(w, in->reg[1], in->imm != 0) & w->mask;
    const u32 value = in->mode == VOTE_BALLOT ? yes
                      : in->mode == VOTE_ANY  ? -(u32)(yes != 0)
                      : in->mode == VOTE_ALL  ? -(u32)(yes == w->mask)
                                              : -(u32)(yes == 0 || yes == w->mask);
    u32 *d = row(w, in->reg[0]);
    STORE_LANES(w, d, u32, value)
}

static void decode_vote(struct parser *p, const struct statement *s, struct insn *in)
{
    static const char *const names[] = {"vote.sync.all.pred", "vote.sync.any.pred", "vote.sync.uni.pred",
                                        "vote.sync.ballot.b32"};
    for (uint8_t i = 0; i < 4; i++)
        if (!strcmp(s->opcode, names[i])) {
            in->mode = i;
            in->run = vote;
        }
    if (!in->run || s->operands != 3)
        unknown_form(p, s);
    struct element predicate = s->operand[1].element[0];
    in->imm = predicate.negated;
    predicate.negated = false;
    add_destination(p, s, in, &s->operand[0].element[0], in->mode == VOTE_BALLOT ? 'w' : 'p');
    add_source(p, s, in, &predicate, 'p');
    add_source(p, s, in, &s->operand[2].element[0], 'w');
}

static void active_mask(struct warp *w, const struct insn *in)
{
    u32 *d = row(w, in->reg[0]);
    const u32 value = w->mask;
    STORE_LANES(w, d, u32, value)
}

static void decode_active_mask(struct parser *p, const struct statement *s, struct insn *in)
{
    if (strcmp(s->opcode, "activemask.b32"))
        unknown_form(p, s);
    in->run = active_mask;
    decode_shape(p, s, in, "w=");
}

/* match.any.sync.b32 d, a, members: the lanes with the same value. */
static void match_any(struct warp *w, const struct insn *in)
{
    if (!warp_gathered(w, in, members_of(w, in, in->reg[2])))
        return;
    const u32 *a = row(w, in->reg[1]);
    u32 same[LANES] = {0};
    for (int lane = 0; lane < LANES; lane++)
        for (int other = 0; other < LANES; other++)
            same[lane] |= (u32)(w->mask >> other & 1 && a[other] == a[lane]) << other;
    u32 *d = row(w, in->reg[0]);
    STORE_LANES(w, d, u32, same[l])
}

static void decode_match(struct parser *p, const struct statement *s, struct insn *in)
{
    if (strcmp(s->opcode, "match.any.sync.b32"))
        unknown_form(p, s);
    in->run = match_any;
    decode_shape(p, s, in, "w=ww");
}

enum redux { REDUX_ADD, REDUX_MIN_S, REDUX_MAX_S, REDUX_MIN_U, REDUX_MAX_U, REDUX_AND, REDUX_OR, REDUX_XOR };

/* redux.sync.OP d, a, members */
static void redux(struct warp *w, const struct insn *in)
{
    if (!warp_gathered(w, in, members_of(w, in, in->reg[2])))
        return;
    const u32 *a = row(w, in->reg[1]);
    u32 value = a[__builtin_ctz(w->mask)];
    for (uint32_t left = w->mask & (w->mask - 1); left; left &= left - 1) {
        const u32 next = a[__builtin_ctz(left)];
        switch (in->mode) {
        case REDUX_ADD:
            value += next;
            break;
        case REDUX_MIN_S:
            value = (s32)next < (s32)value ? next : value;
            break;
        case REDUX_MAX_S:
            value = (s32)next > (s32)value ? next : value;
            break;
        case REDUX_MIN_U:
            value = next < value ? next : value;
            break;
        case REDUX_MAX_U:
            value = next > value ? next : value;
            break;
        case REDUX_AND:
            value &= next;
            break;
        case REDUX_OR:
            value |= next;
            break;
        default:
            value ^= next;
        }
    }
    u32 *d = row(w, in->reg[0]);
    STORE_LANES(w, d, u32, value)
}

static void decode_redux(struct parser *p, const struct statement *s, struct insn *in)
{
    static const struct {
        const char *name;
        uint8_t mode;
    } forms[] = {
        {"redux.sync.add.s32", REDUX_ADD},   {"redux.sync.add.u32", REDUX_ADD},   {"redux.sync.min.s32", REDUX_MIN_S},
        {"redux.sync.max.s32", REDUX_MAX_S}, {"redux.sync.min.u32", REDUX_MIN_U}, {"redux.sync.max.u32", REDUX_MAX_U},
        {"redux.sync.and.b32", REDUX_AND},   {"redux.sync.or.b32", REDUX_OR},     {"redux.sync.xor.b32", REDUX_XOR}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(s->opcode, forms[i].name)) {
            in->mode = forms[i].mode;
            in->run = redux;
        }
    if (!in->run)
        unknown_form(p, s);
    decode_shape(p, s, in, "w=ww");
}

const struct family families_warp[] = {{"shfl", decode_shuffle},
                                       {"vote", decode_vote},
                                       {"match", decode_match},
                                       {"redux", decode_redux},
                                       {"activemask", decode_active_mask},
                                       {0}};
