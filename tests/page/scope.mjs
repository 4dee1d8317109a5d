// What a test has opened is closed at its end, the last one first.

/** The body of a test. It gets a scope, and `scope.defer(close)` adds what happens at its end. */
export function scoped(body) {
  return async () => {
    const closers = [];
    const errors = [];
    try {
      await body({ defer: (close) => closers.push(close) });
    } catch (error) {
      errors.push(error);
    }
    for (const close of closers.reverse()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    // The first one is usually the cause of the others.
    if (errors.length > 0) throw errors[0];
  };
}
