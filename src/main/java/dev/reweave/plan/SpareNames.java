package dev.reweave.plan;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names for the shards of a result beside a model whose shards have those that it should have: an
 * index can name any. Numbers get six digits in place of five, {@code
 * model-000001-of-000002.safetensors}, which whoever knows names of shards knows as well; the next
 * result has the usual ones again, so that names do not grow.
 */
public final class SpareNames {
  private static final Pattern NUMBERED =
      Pattern.compile("(?<stem>.*-)0*(?<number>\\d+)-of-0*(?<count>\\d+)(?<end>\\.[^/]+)");

  /** Those that all readers of such names take for numbers; and what stands in for them. */
  private enum Scheme {
    SIX(6, "-r"),
    FIVE(5, "-s"),
    FOUR(4, "-t");

    private final int digits;
    private final String mark;

    Scheme(int digits, String mark) {
      this.digits = digits;
      this.mark = mark;
    }

    String name(String path) {
      Matcher numbered = NUMBERED.matcher(path);
      if (numbered.matches()) {
        String number = "%0" + digits + "d";
        return numbered.group("stem")
            + String.format(Locale.ROOT, number, Long.parseLong(numbered.group("number")))
            + "-of-"
            + String.format(Locale.ROOT, number, Long.parseLong(numbered.group("count")))
            + numbered.group("end");
      }
      int suffix = path.lastIndexOf('.');
      return path.substring(0, suffix) + mark + path.substring(suffix);
    }
  }

  private SpareNames() {}

  /**
   * The same plan under all names that its shards can have: its own first. A plan without an index
   * has those alone.
   */
  public static List<ConversionPlan> of(ConversionPlan plan) {
    List<ConversionPlan> plans = new ArrayList<>();
    plans.add(plan);
    if (plan.index().isEmpty()) {
      return plans;
    }
    Set<String> taken = new HashSet<>(plan.paths());
    for (Scheme scheme : Scheme.values()) {
      UnaryOperator<String> naming = scheme::name;
      List<String> paths = shards(plan).stream().map(naming).toList();
      if (Collections.disjoint(taken, paths)) {
        plans.add(plan.renamed(naming));
        taken.addAll(paths);
      }
    }
    return plans;
  }

  /**
   * The plan under names of which none is there; under its own if there are files of all names,
   * which needs more than two models in one place.
   */
  public static ConversionPlan beside(Collection<String> present, ConversionPlan plan) {
    return of(plan).stream()
        .filter(p -> Collections.disjoint(present, shards(p)))
        .findFirst()
        .orElse(plan);
  }

  private static List<String> shards(ConversionPlan plan) {
    return plan.shards().stream().map(PlannedFile::path).toList();
  }
}
