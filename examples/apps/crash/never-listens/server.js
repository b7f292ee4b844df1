// Runs and never listens: it must be told apart from an app that ends.
console.log("thinking, and listening nowhere");
setInterval(() => {}, 60_000);
