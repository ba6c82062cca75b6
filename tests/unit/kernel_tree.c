/*
 * The balanced tree under random insertions and removals, its shape and its order checked after each:
 * heights right and differing by one at most, parents right, keys in order, the summary right.
 * The summary is the largest weight in the subtree: it often stays as it is, and then the walk up ends early.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/lib/tree.c"

#define ITEMS 300
#define ROUNDS 20000

struct item {
    struct tree_node node;
    unsigned key;
    unsigned weight;
    unsigned largest; /* the summary: of the subtree's weights */
    int in;
};

static struct item items[ITEMS];

static struct item *item_of(struct tree_node *node)
{
    return container_of(node, struct item, node);
}

static bool less(const struct tree_node *a, const struct tree_node *b)
{
    return container_of(a, const struct item, node)->key <
           container_of(b, const struct item, node)->key;
}

static unsigned largest_of(struct tree_node *node)
{
    unsigned largest = item_of(node)->weight;
    if (node->left)
        largest = max(largest, item_of(node->left)->largest);
    if (node->right)
        largest = max(largest, item_of(node->right)->largest);
    return largest;
}

static bool update(struct tree_node *node)
{
    unsigned before = item_of(node)->largest;
    item_of(node)->largest = largest_of(node);
    return item_of(node)->largest != before;
}

static void need(int condition, const char *what)
{
    if (!condition) {
        printf("not ok - %s\n", what);
        exit(1);
    }
}

/* The height of the subtree, having checked all of it. */
static int check(struct tree_node *node, struct tree_node *parent)
{
    if (node == NULL)
        return 0;
    int left = check(node->left, node), right = check(node->right, node);

    need(node->parent == parent, "parents are right");
    need(abs(left - right) <= 1, "the tree is balanced");
    need(node->height == 1 + (left > right ? left : right), "heights are right");
    need(item_of(node)->largest == largest_of(node), "summaries are right");
    return node->height;
}

static void check_order(struct tree *tree, unsigned count)
{
    unsigned seen = 0, last = 0;

    for (struct tree_node *node = tree_first(tree); node != NULL; node = tree_next(node)) {
        need(item_of(node)->key >= last, "keys are in order");
        last = item_of(node)->key;
        seen++;
    }
    need(seen == count, "walking forward meets every node");
    for (struct tree_node *node = tree_last(tree); node != NULL; node = tree_prev(node))
        seen--;
    need(seen == 0, "walking back meets every node");
}

int main(void)
{
    struct tree tree = {NULL, update};
    unsigned count = 0;

    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        struct item *item = &items[rand() % ITEMS];

        if (item->in && rand() % 4 == 0) {
            item->weight = (unsigned)rand() % 1000;
            tree_propagate(&tree, &item->node);
            check(tree.root, NULL);
            continue;
        }
        if (item->in) {
            tree_remove(&tree, &item->node);
            count--;
        } else {
            item->key = (unsigned)rand() % 200;
            item->weight = (unsigned)rand() % 1000;
            tree_insert(&tree, &item->node, less);
            count++;
        }
        item->in = !item->in;
        check(tree.root, NULL);
        if (round % 50 == 0)
            check_order(&tree, count);
    }
    printf("ok - %d rounds\n", ROUNDS);
    return 0;
}
