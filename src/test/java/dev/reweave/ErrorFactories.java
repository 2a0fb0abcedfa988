package dev.reweave;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.LinkTree;
import com.sun.source.doctree.LiteralTree;
import com.sun.source.tree.ConditionalExpressionTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.LambdaExpressionTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.ReturnTree;
import com.sun.source.tree.ThrowTree;
import com.sun.source.util.TreeScanner;
import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;

/** The errors of the house, as the factories in the classes {@code …Failures} make them. */
final class ErrorFactories {
  private static final String MADE = ReweaveException.class.getSimpleName();

  /**
   * An error.
   *
   * @param type the class of its factory
   * @param factory its method
   * @param messages what is wrong, in each of the ways in which the factory says it
   * @param cause the first sentence of what is said of the factory
   * @param remedies what to do
   */
  record Entry(
      HouseSources.Type type,
      String factory,
      Kind kind,
      List<String> messages,
      String cause,
      List<String> remedies) {}

  /** What an expression makes; {@code javadoc} is that of a helper that makes it for others. */
  private record Made(
      List<Kind> kinds, List<String> messages, List<String> remedies, Optional<String> javadoc) {}

  private final HouseSources sources;
  private final ErrorTexts texts;

  ErrorFactories(HouseSources sources) {
    this.sources = sources;
    this.texts = new ErrorTexts(sources);
  }

  /** Whether a class is one of those that make errors. */
  static boolean makesErrors(String simpleName) {
    return simpleName.endsWith("Failures");
  }

  /**
   * All errors, by class and in the order of the sources.
   *
   * @throws AssertionError if a factory is not written so that it can be read
   */
  List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    for (HouseSources.Type type : sources.types()) {
      if (makesErrors(type.simpleName())) {
        for (MethodTree method : type.methods()) {
          if (!method.getModifiers().getFlags().contains(Modifier.PRIVATE)) {
            entries.addAll(entries(type, method));
          }
        }
      }
    }
    return entries;
  }

  private List<Entry> entries(HouseSources.Type type, MethodTree method) {
    List<Entry> entries = new ArrayList<>();
    List<ExpressionTree> results = results(method);
    Optional<String> own = firstSentence(type, method);
    for (ExpressionTree result : results) {
      ErrorTexts.Scope scope = ErrorTexts.Scope.of(type).withVariables(method);
      for (Made made : made(result, scope)) {
        // Of what chooses between errors the Javadoc tells of no single one.
        Optional<String> told =
            results.size() > 1 ? made.javadoc().or(() -> own) : own.or(made::javadoc);
        String cause =
            told.orElseThrow(() -> unreadable(type, method, "no Javadoc tells the cause"));
        if (made.kinds().isEmpty()) {
          throw unreadable(type, method, "this makes no error that can be read: " + result);
        }
        for (Kind kind : made.kinds()) {
          entries.add(
              new Entry(
                  type,
                  method.getName().toString(),
                  kind,
                  made.messages(),
                  cause,
                  made.remedies()));
        }
      }
    }
    return entries;
  }

  private static AssertionError unreadable(HouseSources.Type type, MethodTree method, String why) {
    return new AssertionError(type.name() + "." + method.getName() + ": " + why);
  }

  /** What a method returns, where that is an error, and what it throws. */
  private static List<ExpressionTree> results(MethodTree method) {
    List<ExpressionTree> results = new ArrayList<>();
    boolean returnsErrors =
        method.getReturnType() != null && method.getReturnType().toString().equals(MADE);
    new TreeScanner<Void, Void>() {
      @Override
      public Void visitReturn(ReturnTree tree, Void nothing) {
        if (returnsErrors) {
          results.add(tree.getExpression());
        }
        return null;
      }

      @Override
      public Void visitThrow(ThrowTree tree, Void nothing) {
        results.add(tree.getExpression());
        return null;
      }

      @Override
      public Void visitLambdaExpression(LambdaExpressionTree tree, Void nothing) {
        return null;
      }
    }.scan(method.getBody(), null);
    return results;
  }

  private List<Made> made(ExpressionTree expression, ErrorTexts.Scope scope) {
    if (expression instanceof ParenthesizedTree inner) {
      return made(inner.getExpression(), scope);
    }
    if (expression instanceof ConditionalExpressionTree choice) {
      return Stream.of(choice.getTrueExpression(), choice.getFalseExpression())
          .flatMap(one -> made(one, scope).stream())
          .toList();
    }
    if (expression instanceof NewClassTree made && made.getIdentifier().toString().equals(MADE)) {
      List<? extends ExpressionTree> arguments = made.getArguments();
      List<Kind> kinds = kinds(arguments.get(0), scope);
      return kinds.isEmpty()
          ? List.of(made(List.of(Kind.DAMAGED_INPUT), arguments, scope))
          : List.of(made(kinds, arguments.subList(1, arguments.size()), scope));
    }
    if (expression instanceof MethodInvocationTree call) {
      if (call.getMethodSelect() instanceof MemberSelectTree select
          && select.getExpression().toString().equals(MADE)) {
        return List.of(
            made(List.of(kindOf(select.getIdentifier().toString())), call.getArguments(), scope));
      }
      Optional<MethodTree> called = scope.called(call);
      if (called.isPresent()) {
        return called(called.get(), scope.within(called.get(), call.getArguments()));
      }
    }
    return List.of(new Made(List.of(), List.of(), List.of(), Optional.empty()));
  }

  private List<Made> called(MethodTree method, ErrorTexts.Scope scope) {
    Optional<String> sentence = firstSentence(scope.type(), method);
    return results(method).stream()
        .flatMap(result -> made(result, scope).stream())
        .map(m -> new Made(m.kinds(), m.messages(), m.remedies(), sentence.or(m::javadoc)))
        .toList();
  }

  /** Of problem, place and remedy. */
  private Made made(
      List<Kind> kinds, List<? extends ExpressionTree> arguments, ErrorTexts.Scope scope) {
    return new Made(
        kinds,
        texts.of(arguments.get(0), scope),
        texts.of(arguments.get(2), scope),
        Optional.empty());
  }

  /** The kinds that an expression can be; none if it is something else. */
  private static List<Kind> kinds(ExpressionTree expression, ErrorTexts.Scope scope) {
    if (expression instanceof ConditionalExpressionTree choice) {
      return Stream.of(choice.getTrueExpression(), choice.getFalseExpression())
          .flatMap(one -> kinds(one, scope).stream())
          .toList();
    }
    if (expression instanceof IdentifierTree name) {
      ErrorTexts.Given given = scope.names().get(name.getName().toString());
      return given == null ? List.of() : kinds(given.expression(), given.scope());
    }
    return expression instanceof MemberSelectTree select
            && ("." + select.getExpression()).endsWith(".Kind")
        ? List.of(Kind.valueOf(select.getIdentifier().toString()))
        : List.of();
  }

  /** What the factories of {@link ReweaveException} give. */
  private static Kind kindOf(String factory) {
    try {
      ReweaveException made =
          (ReweaveException)
              ReweaveException.class
                  .getMethod(factory, String.class, String.class, String.class)
                  .invoke(null, "a", "b", "c");
      return made.kind();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(factory, e);
    }
  }

  private Optional<String> firstSentence(HouseSources.Type type, MethodTree method) {
    return sources.javadoc(type, method).map(ErrorFactories::firstSentence);
  }

  /** What is said of a class that makes errors. */
  String firstSentence(HouseSources.Type type) {
    return sources.javadoc(type).map(ErrorFactories::firstSentence).orElseThrow();
  }

  /** The first sentence as Markdown, without its full stop. */
  private static String firstSentence(DocCommentTree javadoc) {
    StringBuilder sentence = new StringBuilder();
    for (DocTree part : javadoc.getFirstSentence()) {
      if (part instanceof LiteralTree code) {
        sentence.append('`').append(code.getBody().getBody()).append('`');
      } else if (part instanceof LinkTree link) {
        sentence.append('`').append(link.getReference().getSignature()).append('`');
      } else {
        sentence.append(part);
      }
    }
    return sentence.toString().strip().replaceAll("\\s+", " ").replaceAll("\\.$", "");
  }
}
