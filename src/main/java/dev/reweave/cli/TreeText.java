package dev.reweave.cli;

import dev.reweave.look.report.TensorTree;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.IStyle;
import picocli.CommandLine.Help.Ansi.Style;

/**
 * Lines of a tree of tensors for a terminal: with colours where it has them and nobody has asked
 * for none (NO_COLOR). Names are of unknown origin, so none of them is read as picocli's markup.
 */
final class TreeText {
  private final Ansi ansi;

  TreeText(Ansi ansi) {
    this.ansi = ansi;
  }

  String of(TensorTree.Line line) {
    return switch (line.kind()) {
      case HEADING -> styled(line.text(), Style.faint);
      case MODULE ->
          styled(line.branch(), Style.faint)
              + styled(line.name(), Style.bold)
              + line.what()
              + line.figures();
      case TENSOR ->
          styled(line.branch(), Style.faint)
              + line.name()
              + styled(line.what(), Style.fg_cyan)
              + line.figures();
    };
  }

  private String styled(String text, IStyle style) {
    return ansi.enabled() && !text.isEmpty() ? style.on() + text + Style.reset.on() : text;
  }
}
