/* SPDX-License-Identifier: MIT */
/*
 * JSON documents as Python objects that nobody can change. The library's own grammar walks through the text, so that
 * Python takes exactly what every other language takes; json.loads also takes NaN and half of a surrogate pair.
 */
#include "share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json/grammar.h"
#include "json/unquote.h"

struct builder {
    PyObject *root;
    PyObject *open[JSON_DEEPEST];  /* dicts and lists, the outermost first; each is the builder's */
    PyObject *names[JSON_DEEPEST]; /* of the member that comes next in an object; NULL: its name comes next */
    size_t depth;
};

static PyObject *new_string(const char *word, size_t length)
{
    PyObject *string;
    char *meaning;

    if (!memchr(word, '\\', length))
        return PyUnicode_DecodeUTF8(word + 1, (Py_ssize_t)length - 2, NULL);
    meaning = PyMem_Malloc(length);
    if (!meaning)
        return PyErr_NoMemory();
    string = PyUnicode_DecodeUTF8(meaning, (Py_ssize_t)unquote_string(meaning, word, length), NULL);
    PyMem_Free(meaning);
    return string;
}

/* More digits than a double's range has do not pass the grammar. The text goes on behind the number. */
static PyObject *new_integer(const char *word, size_t length)
{
    char digits[400];

    if (length < 19)
        return PyLong_FromLongLong(strtoll(word, NULL, 10));
    if (length >= sizeof digits)
        return PyErr_Format(PyExc_ValueError, "an integer of %zu digits", length);
    memcpy(digits, word, length);
    digits[length] = 0;
    return PyLong_FromString(digits, NULL, 10);
}

static PyObject *new_number(const char *word, size_t length)
{
    char *end;
    double number;

    for (size_t i = 0; i < length; i++) {
        if (word[i] == '.' || word[i] == 'e' || word[i] == 'E') {
            number = PyOS_string_to_double(word, &end, NULL);
            return number == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(number);
        }
    }
    return new_integer(word, length);
}

static PyObject *new_word(const char *word, size_t length)
{
    switch (*word) {
    case '"':
        return new_string(word, length);
    case 't':
    case 'f':
        return PyBool_FromLong(*word == 't');
    case 'n':
        Py_INCREF(Py_None);
        return Py_None;
    default:
        return new_number(word, length);
    }
}

/* `value`, which it takes, goes to where the walk is. */
static int add(struct builder *builder, PyObject *value)
{
    PyObject *parent = builder->depth > 0 ? builder->open[builder->depth - 1] : NULL;
    PyObject **name = builder->depth > 0 ? &builder->names[builder->depth - 1] : NULL;
    int failed;

    if (!value)
        return -ENOMEM;
    if (!parent) {
        builder->root = value;
        return 0;
    }
    if (*name) { /* of two members with one name, the last stays */
        failed = PyDict_SetItem(parent, *name, value);
        Py_CLEAR(*name);
    } else {
        failed = PyList_Append(parent, value);
    }
    Py_DECREF(value);
    return failed ? -ENOMEM : 0;
}

static int open_container(struct builder *builder, PyObject *container)
{
    if (!container)
        return -ENOMEM;
    builder->names[builder->depth] = NULL;
    builder->open[builder->depth++] = container;
    return 0;
}

static int close_container(struct builder *builder, bool is_object)
{
    PyObject *container = builder->open[--builder->depth];
    PyObject *frozen = is_object ? PyDictProxy_New(container) : PyList_AsTuple(container);

    Py_DECREF(container);
    return add(builder, frozen);
}

static bool wants_name(const struct builder *builder)
{
    return builder->depth > 0 && PyDict_Check(builder->open[builder->depth - 1]) &&
           !builder->names[builder->depth - 1];
}

static int take(void *context, const char *word, size_t length)
{
    struct builder *builder = context;

    switch (*word) {
    case '{':
        return open_container(builder, PyDict_New());
    case '[':
        return open_container(builder, PyList_New(0));
    case '}':
    case ']':
        return close_container(builder, *word == '}');
    case ',':
    case ':':
        return 0;
    case '"':
        if (wants_name(builder)) {
            builder->names[builder->depth - 1] = new_string(word, length);
            return builder->names[builder->depth - 1] ? 0 : -ENOMEM;
        }
        break;
    default:
        break;
    }
    return add(builder, new_word(word, length));
}

PyObject *document_build(const char *text, size_t length, char why[160])
{
    struct builder *builder = PyMem_Calloc(1, sizeof *builder);
    PyObject *root = NULL;
    int error;

    why[0] = 0;
    if (!builder)
        return PyErr_NoMemory();
    error = grammar_walk(text, length, take, builder, why);
    if (error != 0) {
        while (builder->depth > 0) {
            Py_DECREF(builder->open[--builder->depth]);
            Py_XDECREF(builder->names[builder->depth]);
        }
        Py_CLEAR(builder->root);
        if (error != -EBADMSG)
            why[0] = 0; /* an exception says it */
    }
    root = builder->root;
    PyMem_Free(builder);
    return root;
}

static PyObject *thaw_object(PyObject *proxy)
{
    PyObject *dict = PyDict_New(), *name, *value, *copy;
    Py_ssize_t at = 0;

    if (!dict || PyDict_Update(dict, proxy) != 0)
        goto failed;
    while (PyDict_Next(dict, &at, &name, &value)) { /* values change, names do not */
        copy = document_thaw(value);
        if (!copy || PyDict_SetItem(dict, name, copy) != 0) {
            Py_XDECREF(copy);
            goto failed;
        }
        Py_DECREF(copy);
    }
    return dict;
failed:
    Py_XDECREF(dict);
    return NULL;
}

static PyObject *thaw_array(PyObject *tuple)
{
    const Py_ssize_t count = PyTuple_Size(tuple);
    PyObject *list = PyList_New(count), *copy;

    for (Py_ssize_t i = 0; list && i < count; i++) {
        copy = document_thaw(PyTuple_GetItem(tuple, i));
        if (!copy || PyList_SetItem(list, i, copy) != 0)
            Py_CLEAR(list);
    }
    return list;
}

PyObject *document_thaw(PyObject *value)
{
    PyObject *copy;

    if (Py_TYPE(value) != &PyDictProxy_Type && !PyTuple_CheckExact(value)) {
        Py_INCREF(value);
        return value;
    }
    if (Py_EnterRecursiveCall(" while a document is copied") != 0)
        return NULL;
    copy = PyTuple_CheckExact(value) ? thaw_array(value) : thaw_object(value);
    Py_LeaveRecursiveCall();
    return copy;
}
