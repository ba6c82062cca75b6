/*
 * A balanced binary search tree (AVL: Adelson-Velsky and Landis, 1962) with the links inside the
 * elements. The tree knows nothing of keys: the caller walks down to the place, links the node and
 * asks for balance. A tree may carry a summary of each subtree (the largest gap, say): the update
 * function recomputes one node's summary from its children, says whether that changed it, and is called
 * bottom up after each change as far as summaries change.
 * Nothing here locks.
 */
#pragma once

#include "lib/types.h"

struct tree_node {
    struct tree_node *parent; /* the lock of whoever owns the tree, for all */
    struct tree_node *left;
    struct tree_node *right;
    int height; /* of the subtree: a leaf is 1 */
};

struct tree {
    struct tree_node *root;                 /* the owner's lock */
    bool (*update)(struct tree_node *node); /* const after init; may be NULL */
};

#define TREE_INIT  \
    {              \
        NULL, NULL \
    }

/*
 * Insert NODE in the order that LESS defines; equal keys go after those already there.
 * LESS(a, b) says whether a comes before b.
 */
void tree_insert(struct tree *t, struct tree_node *node,
                 bool (*less)(const struct tree_node *a, const struct tree_node *b));

/* Link NODE below PARENT (NULL: as the root) at *LINK, a child pointer that is NULL, and rebalance. */
void tree_link(struct tree *t, struct tree_node *node, struct tree_node *parent,
               struct tree_node **link);
void tree_remove(struct tree *t, struct tree_node *node);

/* The caller has changed NODE's own part of the summary: recompute it and what depends on it. */
void tree_propagate(struct tree *t, struct tree_node *node);

/* In-order neighbours; NULL at the ends and in an empty tree. */
struct tree_node *tree_first(const struct tree *t);
struct tree_node *tree_last(const struct tree *t);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_prev(const struct tree_node *node);

#define tree_entry(node, type, member) container_of(node, type, member)
