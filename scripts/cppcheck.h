/* cppcheck.h - loops of libraries as cppcheck can read them; it is given to cppcheck alone, no source includes it. */
#define json_array_foreach(array, i, value) for (i = 0; i < json_array_size(array) && (value = json_array_get(array, i)); i++)
#define json_object_foreach(object, key, value) for (void *at = json_object_iter(object); at && (key = json_object_iter_key(at)) && (value = json_object_iter_value(at)); at = json_object_iter_next(object, at))
#define json_object_foreach_safe(object, n, key, value) for (n = json_object_iter(object); n && (key = json_object_iter_key(n)) && (value = json_object_iter_value(n)); n = json_object_iter_next(object, n))
