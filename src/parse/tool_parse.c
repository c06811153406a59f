/* tool_parse.c - "saqshy parse" as a program of its own, for the tests of this module. */
int cmd_parse(int argc, char **argv);

int main(int argc, char **argv) { return cmd_parse(argc, argv); }
