/* Self-tests of lib/: lists, trees, strings, the formatter, the command line's numbers. */
#include "lib/list.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "lib/tree.h"
#include "tests/kernel/ktest.h"

struct item {
    struct list link;
    struct tree_node node;
    unsigned key;
    unsigned count; /* of the subtree: the summary under test */
};

KTEST(list, push_remove_and_order)
{
    struct list head;
    struct item item[5], *i, *next;
    unsigned want = 0;

    list_init(&head);
    for (unsigned n = 0; n < 5; n++) {
        item[n].key = n;
        list_push_back(&head, &item[n].link);
    }
    list_for_each (i, &head, link)
        KEXPECT_EQ(i->key, want++);
    list_for_each_safe (i, next, &head, link)
        if (i->key % 2)
            list_remove(&i->link);
    KEXPECT_EQ(list_first(&head, struct item, link)->key, 0);
    KEXPECT_EQ(list_last(&head, struct item, link)->key, 4);
    KEXPECT_EQ(list_entry(head.next->next, struct item, link)->key, 2);
    list_remove(&item[1].link);
    KEXPECT(list_empty(&item[1].link));
}

KTEST(list, splice_moves_all_and_empties_the_source)
{
    struct list a, b;
    struct item item[4];

    list_init(&a);
    list_init(&b);
    for (unsigned n = 0; n < 4; n++) {
        item[n].key = n;
        list_push_back(n < 2 ? &a : &b, &item[n].link);
    }
    list_splice_back(&a, &b);
    KEXPECT(list_empty(&b));
    KEXPECT_EQ(list_last(&a, struct item, link)->key, 3);
    list_splice_back(&a, &b);
    KEXPECT_EQ(list_last(&a, struct item, link)->key, 3);
}

static bool key_less(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct item, node)->key < tree_entry(b, struct item, node)->key;
}

static unsigned count_of(const struct tree_node *n)
{
    return n ? tree_entry(n, struct item, node)->count : 0;
}

static bool update_count(struct tree_node *n)
{
    unsigned *count = &tree_entry(n, struct item, node)->count, before = *count;
    *count = count_of(n->left) + count_of(n->right) + 1;
    return *count != before;
}

/* Height of the subtree, or -1 when it isn't an AVL tree with right summaries and parents. */
static int check_subtree(const struct tree_node *n, const struct tree_node *parent)
{
    if (!n)
        return 0;
    int l = check_subtree(n->left, n), r = check_subtree(n->right, n);
    bool ok = l >= 0 && r >= 0 && l - r <= 1 && r - l <= 1 && n->parent == parent &&
              n->height == max(l, r) + 1 &&
              count_of(n) == count_of(n->left) + count_of(n->right) + 1;
    return ok ? n->height : -1;
}

KTEST(tree, stays_balanced_and_ordered_under_random_changes)
{
    static struct item item[200];
    static bool present[200];
    struct tree t = {NULL, update_count};
    uint32_t random = 1;
    unsigned size = 0;

    for (unsigned n = 0; n < 200; n++)
        item[n].key = n * 7 % 200, present[n] = false;
    for (unsigned round = 0; round < 4000; round++) {
        random = random * 1664525 + 1013904223;
        unsigned n = (random >> 16) % 200;
        if (present[n])
            tree_remove(&t, &item[n].node), size--;
        else
            tree_insert(&t, &item[n].node, key_less), size++;
        present[n] = !present[n];
        if (check_subtree(t.root, NULL) < 0) {
            KEXPECT(!"balanced");
            return;
        }
    }
    KEXPECT_EQ(count_of(t.root), size);
    unsigned seen = 0, last = 0;
    for (struct tree_node *n = tree_first(&t); n; n = tree_next(n), seen++) {
        KEXPECT(!seen || tree_entry(n, struct item, node)->key > last);
        last = tree_entry(n, struct item, node)->key;
    }
    KEXPECT_EQ(seen, size);
    for (struct tree_node *n = tree_last(&t); n; n = tree_prev(n))
        seen--;
    KEXPECT_EQ(seen, 0);
}

/* Memory is compared with strings, so each expectation reads as text. */
#define EXPECT_FORMAT(expected, ...)                            \
    do {                                                        \
        char _buf[128];                                         \
        int _n = snprintf(_buf, sizeof(_buf), __VA_ARGS__);     \
        KEXPECT_EQ(_n, strlen(expected));                       \
        if (strcmp(_buf, expected) != 0)                        \
            ktest_fail(__FILE__, __LINE__, "got \"%s\"", _buf); \
    } while (0)

KTEST(printf, formats_as_c_says)
{
    EXPECT_FORMAT("-5 4294967295 ff 0XFF 017", "%d %u %x %#X %#o", -5, 4294967295u, 255, 255, 15);
    EXPECT_FORMAT("[   42][42   ][00042][+42][ 42]", "[%5d][%-5d][%05d][%+d][% d]", 42, 42, 42, 42,
                  42);
    EXPECT_FORMAT("[-0042][  007]", "[%05d][%5.3d]", -42, 7);
    EXPECT_FORMAT("abc [ab] [  a] c%", "%s [%.2s] [%3s] %c%%", "abc", "abc", "a", 'c');
    EXPECT_FORMAT("18446744073709551615 -9223372036854775808", "%lu %ld", ~0UL, (long)(1UL << 63));
    EXPECT_FORMAT("-1 255 65535", "%hhd %hhu %hu", 255, 511, 65535);
    EXPECT_FORMAT("0x0000000000001234", "%p", (void *)0x1234UL);
    EXPECT_FORMAT("[]", "[%.0d]", 0);
}

KTEST(printf, cuts_and_counts)
{
    char buf[4] = "zzz";
    KEXPECT_EQ(snprintf(buf, 4, "%s", "abcdef"), 6);
    KEXPECT_EQ(strcmp(buf, "abc"), 0);
    KEXPECT_EQ(snprintf(NULL, 0, "%d", 12345), 5);
}

KTEST(string, moves_overlapping_memory)
{
    char b[16] = "0123456789";
    memmove(b + 2, b, 8);
    KEXPECT_EQ(memcmp(b, "0101234567", 10), 0);
    memmove(b, b + 2, 8);
    KEXPECT_EQ(memcmp(b, "0123456767", 10), 0);
}

KTEST(string, finds_and_compares)
{
    KEXPECT(strstr("needle in hay", "in") && !strstr("abc", "d"));
    KEXPECT(strstr("abc", "") && strchr("abc", 0) && !strrchr("abc", 'x'));
    KEXPECT(strcmp("\x80", "\x7f") > 0);
    char b[4];
    KEXPECT_EQ(strlcpy(b, "abcdef", 4), 6);
    KEXPECT_EQ(strcmp(b, "abc"), 0);
}

KTEST(string, parses_numbers_or_says_why_not)
{
    uint64_t v = 0;
    KEXPECT(parse_u64("0x1F", 0, &v) == 0 && v == 31);
    KEXPECT(parse_u64("017", 0, &v) == 0 && v == 15);
    KEXPECT(parse_u64("18446744073709551615", 10, &v) == 0 && v == UINT64_MAX);
    KEXPECT_EQ(parse_u64("18446744073709551616", 10, &v), -ERANGE);
    KEXPECT_EQ(parse_u64("12x", 10, &v), -EINVAL);
    KEXPECT_EQ(parse_u64("", 10, &v), -EINVAL);
    KEXPECT_EQ(parse_u64("0x", 0, &v), -EINVAL);
}
