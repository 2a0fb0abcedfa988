package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong usage: the error, and where help is. */
class UsageTest {
  private static List<String> wrong(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();

    assertEquals(2, Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args));

    assertEquals("", out.toString());
    return err.toString().lines().toList();
  }

  private static String help(String... args) {
    StringWriter out = new StringWriter();
    assertEquals(
        0, Main.run(new PrintWriter(out, true), new PrintWriter(new StringWriter(), true), args));
    return out.toString();
  }

  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "convert,''",
        "inspect, a",
        "doctor, a",
        "verify, a",
        "diff, a b",
        "clean, a",
        "demo,''"
      })
  void eachCommandSaysOneLineOfHelpThatWorks(String command, String arguments) {
    assertEquals(
        List.of("Unknown option: '--wrong=1'", "Try 'reweave " + command + " --help'."),
        wrong((command + arguments + " --wrong=1").split(" ", -1)));
    assertTrue(help(command, "--help").startsWith("Usage: reweave " + command + " "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "convert | --input is needed",
        "convert -i in | --output is needed",
        "convert -i in -o out --dtype int8 | --dtype int8 is not one of float32, bfloat16,",
        "convert -i in -o out --shards some | some",
        "convert -i in -o out --max-shard-size many | many",
        "convert -i in -o out --sample 300% | '300%' is not a percentage above 0",
        "convert --list x --again y | --list and --again do not go together",
        "inspect | Missing required parameter",
        "doctor | Missing required parameter",
        "verify | Missing required parameter",
        "diff a | Missing required parameter",
        "clean | Missing required parameter",
        "verify a b | Unmatched argument at index 2: 'b'",
      })
  void theErrorComesFirst(String line, String message) {
    String[] args = line.split(" ", -1);

    List<String> said = wrong(args);

    assertEquals(2, said.size(), said::toString);
    assertTrue(said.get(0).contains(message), said::toString);
    assertEquals("Try 'reweave " + args[0] + " --help'.", said.get(1));
  }

  @Test
  void commandsThatAreNone() {
    assertEquals(List.of("a command is needed", "Try 'reweave --help'."), wrong());
    List<String> said = wrong("convret");
    assertEquals(2, said.size(), said::toString);
    assertTrue(said.get(0).contains("'convret'; did you mean convert"), said::toString);
    assertEquals("Try 'reweave --help'.", said.get(1));
  }

  @Test
  void whatWasProbablyMeant() {
    assertEquals(
        List.of(
            "Unknown options: '--ouput', 'x'; did you mean --output?",
            "Try 'reweave convert --help'."),
        wrong("convert", "-i", "in", "--ouput", "x"));
  }

  @Test
  void nothingBreaksTheLine() {
    List<String> said = wrong("convert", "--wrong\n\u001b[2J=1");

    assertEquals(2, said.size(), said::toString);
    assertTrue(said.get(0).contains("\\n\\u001b[2J"), said::toString);
  }
}
