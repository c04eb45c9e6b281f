/* goal_build.h - what the files that build goals share: goal.c, goal_child.c, goal_object.c, goal_array.c. */
#ifndef WEIR_HOST_GOAL_BUILD_H
#define WEIR_HOST_GOAL_BUILD_H

#include "goal.h"

/* goal.c */
goal_id goal_add(compiler *c, formula wanted, const id_list *components);
/* Analyses a goal once; its containers' members are analysed on the way. */
void goal_analyse(compiler *c, goal_id id);
/* What the goal wants, for values of one type. */
formula goal_formula(compiler *c, goal *g, value_type type);
/* A class was found to be achievable: whoever depends on the goal is looked at again. */
void goal_add_class(compiler *c, goal *g, formula class);
void goal_depend(compiler *c, goal *on, goal_id id);
/* The node of a graph; NONE for a formula that is false. */
uint32_t graph_node_add(compiler *c, graph *g, uint32_t position, uint32_t flips, formula left);

/* goal_child.c: "the value satisfies the schema" (NONE: false), and the goal of a member whose value f speaks about. */
formula value_atom(compiler *c, uint32_t schema_id);
child child_of(compiler *c, formula f, const id_list *components);

/* goal_names.c: what an object asks of the names of its members: fills in questions, kinds and name_text, and adds the names
 * that propertyNames lists to those told apart. */
void object_questions(compiler *c, graph *object, formula wanted);
/* The answers of a name that is told apart, or of a kind (name NONE), one formula a question; NULL without questions. */
const formula *object_answers(compiler *c, const graph *object, uint32_t name, uint32_t kind);
/* [patterns] Which match, by these answers. */
const uint8_t *object_matches(compiler *c, const graph *object, const formula *answers);

/* goal_object.c, goal_array.c: opens the graph of a container, or goes on with it. */
void analyse_object(compiler *c, goal_id id);
void analyse_array(compiler *c, goal_id id);

#endif
