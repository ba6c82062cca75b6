/*
 * The balanced tree of tree.h. A node's two subtrees never differ in height by more than one; after a
 * link or a removal the way up is walked until nothing changes any more, each node's height and summary
 * made right, and a node that leans by two is put upright by one rotation or two:
 *
 *         n              c                 n                 g
 *        / \            / \               / \               / \
 *       c   z   -->    x   n             c   z    -->      c   n
 *      / \                / \           / \               / \ / \
 *     x   y              y   z         x   g             x  a b  z
 *                                         / \
 *                                        a   b
 */
#include "lib/tree.h"

#include "lib/assert.h"

static int height(const struct tree_node *n)
{
    return n ? n->height : 0;
}

/* Make what N says of its subtree right, given that its children are. Has it changed? */
static bool refresh(struct tree *t, struct tree_node *n)
{
    int before = n->height;
    n->height = max(height(n->left), height(n->right)) + 1;
    bool summary_changed = t->update && t->update(n);
    return summary_changed || n->height != before;
}

/* Put NEW where OLD hangs, below OLD's parent. */
static void replace_child(struct tree *t, struct tree_node *parent, struct tree_node *old,
                          struct tree_node *new)
{
    if (!parent)
        t->root = new;
    else if (parent->left == old)
        parent->left = new;
    else
        parent->right = new;
    if (new)
        new->parent = parent;
}

static struct tree_node *rotate_right(struct tree *t, struct tree_node *n)
{
    struct tree_node *c = n->left;
    replace_child(t, n->parent, n, c);
    n->left = c->right;
    if (n->left)
        n->left->parent = n;
    c->right = n;
    n->parent = c;
    refresh(t, n);
    refresh(t, c);
    return c;
}

static struct tree_node *rotate_left(struct tree *t, struct tree_node *n)
{
    struct tree_node *c = n->right;
    replace_child(t, n->parent, n, c);
    n->right = c->left;
    if (n->right)
        n->right->parent = n;
    c->left = n;
    n->parent = c;
    refresh(t, n);
    refresh(t, c);
    return c;
}

/* Restore balance and summaries from N up, as far as anything changes. */
static void rebalance(struct tree *t, struct tree_node *n)
{
    while (n) {
        int lean = height(n->left) - height(n->right);
        if (lean > 1) {
            if (height(n->left->left) < height(n->left->right))
                rotate_left(t, n->left);
            n = rotate_right(t, n);
        } else if (lean < -1) {
            if (height(n->right->right) < height(n->right->left))
                rotate_right(t, n->right);
            n = rotate_left(t, n);
        } else if (!refresh(t, n)) {
            return;
        }
        n = n->parent;
    }
}

void tree_link(struct tree *t, struct tree_node *node, struct tree_node *parent,
               struct tree_node **link)
{
    assert(!*link);
    node->parent = parent;
    node->left = node->right = NULL;
    node->height = 0;
    *link = node;
    rebalance(t, node);
}

void tree_insert(struct tree *t, struct tree_node *node,
                 bool (*less)(const struct tree_node *a, const struct tree_node *b))
{
    struct tree_node *parent = NULL, **link = &t->root;
    while (*link) {
        parent = *link;
        link = less(node, parent) ? &parent->left : &parent->right;
    }
    tree_link(t, node, parent, link);
}

void tree_remove(struct tree *t, struct tree_node *node)
{
    struct tree_node *from;        /* the lowest node whose subtree changed */
    struct tree_node *next = NULL; /* what took NODE's place, when that is not a child moved up */

    if (node->left && node->right) {
        /* Its successor has no left child and takes its place. */
        next = node->right;
        while (next->left)
            next = next->left;
        from = next->parent == node ? next : next->parent;
        replace_child(t, next->parent, next, next->right);
        next->left = node->left;
        next->left->parent = next;
        next->right = node->right;
        if (next->right)
            next->right->parent = next;
        next->height = node->height;
        replace_child(t, node->parent, node, next);
    } else {
        from = node->parent;
        replace_child(t, node->parent, node, node->left ? node->left : node->right);
    }
    node->parent = node->left = node->right = NULL;
    node->height = 0;
    rebalance(t, from);
    /* The walk may have ended below NEXT, or at it because it says what it said at its old place. */
    if (next) {
        refresh(t, next);
        rebalance(t, next->parent);
    }
}

void tree_propagate(struct tree *t, struct tree_node *node)
{
    while (node && refresh(t, node))
        node = node->parent;
}

struct tree_node *tree_first(const struct tree *t)
{
    struct tree_node *n = t->root;
    while (n && n->left)
        n = n->left;
    return n;
}

struct tree_node *tree_last(const struct tree *t)
{
    struct tree_node *n = t->root;
    while (n && n->right)
        n = n->right;
    return n;
}

struct tree_node *tree_next(const struct tree_node *n)
{
    if (n->right) {
        for (n = n->right; n->left; n = n->left)
            ;
        return (struct tree_node *)n;
    }
    while (n->parent && n == n->parent->right)
        n = n->parent;
    return n->parent;
}

struct tree_node *tree_prev(const struct tree_node *n)
{
    if (n->left) {
        for (n = n->left; n->right; n = n->right)
            ;
        return (struct tree_node *)n;
    }
    while (n->parent && n == n->parent->left)
        n = n->parent;
    return n->parent;
}
