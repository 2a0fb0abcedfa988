package dev.reweave.look.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** A module or a tensor, with all that is below it. */
final class TreeNode {
  /** Names are of unknown origin, and one of thousands of dots would be as deep a tree. */
  private static final int MOST_PARTS = 64;

  /** Runs of numbers that one line names; the numbers beyond are counted. */
  private static final int MOST_RUNS = 3;

  private static final Pattern NUMBER = Pattern.compile("0|[1-9]\\d{0,8}");

  private final String label;
  private final int copies;
  private final Map<String, TreeNode> below = new LinkedHashMap<>();
  private Optional<Inspection.Row> own = Optional.empty();

  /** A module with nothing in it. */
  TreeNode(String label) {
    this(label, 1);
  }

  private TreeNode(String label, int copies) {
    this.label = label;
    this.copies = copies;
  }

  /** The same as another under another name. */
  private TreeNode(String label, int copies, TreeNode of) {
    this(label, copies);
    below.putAll(of.below);
    own = of.own;
  }

  /**
   * Puts a tensor to its place.
   *
   * @param component what its model is called among several; empty where there is one model
   */
  void add(String component, Inspection.Row row) {
    TreeNode node = component.isEmpty() ? this : child(component);
    for (String part : row.name().split("\\.", MOST_PARTS)) {
      node = node.child(part);
    }
    node.own = Optional.of(row);
  }

  private TreeNode child(String part) {
    return below.computeIfAbsent(part, TreeNode::new);
  }

  String label() {
    return label;
  }

  /** How many modules this stands for. */
  int copies() {
    return copies;
  }

  /** The tensor that this is, unless there are others below it. */
  Optional<Inspection.Row> tensor() {
    return below.isEmpty() ? own : Optional.empty();
  }

  /** Elements of one of what this stands for. */
  long elements() {
    return own.map(Inspection.Row::elements).orElse(0L)
        + below.values().stream().mapToLong(TreeNode::elements).sum();
  }

  /** Bytes of one of what this stands for. */
  long bytes() {
    return own.map(Inspection.Row::bytes).orElse(0L)
        + below.values().stream().mapToLong(TreeNode::bytes).sum();
  }

  /** What stands below it in a tree for people. */
  List<TreeNode> children(TensorTree.Repeated repeated) {
    List<TreeNode> children = new ArrayList<>();
    if (!below.isEmpty()) {
      own.ifPresent(
          row -> {
            TreeNode itself = new TreeNode("(itself)");
            itself.own = Optional.of(row);
            children.add(itself);
          });
    }
    groups(repeated).stream()
        .map(nodes -> nodes.size() == 1 ? nodes.get(0) : folded(nodes))
        .map(node -> node.joined(repeated))
        .forEach(children::add);
    return children;
  }

  /** What is below, those together that become one line. */
  private Collection<List<TreeNode>> groups(TensorTree.Repeated repeated) {
    List<TreeNode> nodes = new ArrayList<>(below.values());
    if (nodes.stream().allMatch(TreeNode::isNumbered)) {
      nodes.sort(Comparator.comparing(TreeNode::number));
    }
    Map<Object, List<TreeNode>> alike = new LinkedHashMap<>();
    for (TreeNode node : nodes) {
      boolean folds = repeated == TensorTree.Repeated.FOLDED && node.isNumbered();
      alike.computeIfAbsent(folds ? node.content() : node, c -> new ArrayList<>()).add(node);
    }
    return alike.values();
  }

  private boolean isNumbered() {
    return NUMBER.matcher(label).matches();
  }

  private int number() {
    return Integer.parseInt(label);
  }

  /** Names, types and shapes of what is in it. */
  private Map<String, Object> content() {
    Map<String, Object> content = new LinkedHashMap<>();
    own.ifPresent(row -> content.put(".", List.of(row.dtype(), row.shape())));
    below.forEach((name, node) -> content.put(name, node.content()));
    return content;
  }

  private static TreeNode folded(List<TreeNode> alike) {
    List<Integer> numbers = alike.stream().map(TreeNode::number).sorted().toList();
    return new TreeNode(runs(numbers), alike.size(), alike.get(0));
  }

  /** Such as {@code 0…31}, or {@code 0, 2, 4 and 13 more}. */
  private static String runs(List<Integer> numbers) {
    List<String> runs = new ArrayList<>();
    int next = 0;
    while (next < numbers.size() && runs.size() < MOST_RUNS) {
      int first = numbers.get(next++);
      int last = first;
      while (next < numbers.size() && numbers.get(next) == last + 1) {
        last = numbers.get(next++);
      }
      String between = last == first + 1 ? ", " : "…";
      runs.add(last == first ? String.valueOf(first) : first + between + last);
    }
    int more = numbers.size() - next;
    return String.join(", ", runs) + (more > 0 ? " and " + more + " more" : "");
  }

  /** The same, in one line with the only one that is below it. */
  private TreeNode joined(TensorTree.Repeated repeated) {
    List<TreeNode> children = own.isPresent() ? List.of() : children(repeated);
    if (children.size() != 1 || (copies > 1 && children.get(0).copies > 1)) {
      return this;
    }
    TreeNode only = children.get(0);
    return new TreeNode(label + "." + only.label, copies * only.copies, only);
  }
}
