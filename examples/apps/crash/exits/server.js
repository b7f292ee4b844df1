// Ends at once: the crash must show exit status 3 and these lines.
console.log("about to give up");
console.error("there is no database");
process.exit(3);
