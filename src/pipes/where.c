/* where.c - a filter over rows: the tree of the search language, asked value by value. */
#include "pipes/internal.h"

/* text_holds - a figure or a moment as it is shown. */
static bool text_holds(const struct query_step *step, const struct pipes_cell *c)
{
    AUTO_BUF struct buf text;

    buf_init(&text, 256);
    pipes_cell_text(c, &text);
    return query_leaf_match(step->leaf, buf_view(&text));
}

static bool cell_holds(const struct query_step *step, const struct pipes_cell *c)
{
    if (c->type == PIPES_NONE)
        return false;
    if (step->kind == QUERY_TIMES && c->type == PIPES_TIME)
        return c->time >= step->from && (c->time < step->to || step->to == INT64_MAX);
    if (step->kind == QUERY_NUMBERS && c->type == PIPES_NUMBER)
        return c->number >= step->least && c->number <= step->most;
    if (step->kind == QUERY_PRESENT)
        return true;
    if (c->type == PIPES_TEXT) {
        for (size_t i = 0; i < cell_values(c); i++)
            if (query_leaf_match(step->leaf, cell_value(c, i).text))
                return true;
        return false;
    }
    return text_holds(step, c);
}

static bool step_holds(const struct query_step *step, int place, const struct pipes_cell *cells, size_t count)
{
    if (step->kind == QUERY_ALL)
        return true;
    if (place >= 0)
        return cell_holds(step, &cells[place]);
    for (size_t i = 0; i < count; i++)
        if (cell_holds(step, &cells[i]))
            return true;
    return false;
}

bool where_holds(const struct stage *s, const struct pipes_cell *cells, size_t count)
{
    bool stack[QUERY_NODES_MAX];
    size_t depth = 0;

    for (size_t i = 0; i < query_steps(s->filter); i++) {
        struct query_step step = query_step(s->filter, i);

        if (step.kind == QUERY_NOT)
            stack[depth - 1] = !stack[depth - 1];
        else if (step.kind == QUERY_AND || step.kind == QUERY_OR) {
            depth--;
            stack[depth - 1] = step.kind == QUERY_AND ? stack[depth - 1] && stack[depth] : stack[depth - 1] || stack[depth];
        } else
            stack[depth++] = step_holds(&step, s->place[i], cells, count);
    }
    return depth == 0 || stack[0];
}
