// Listens nowhere: it is healthy as long as it runs.
let done = 0;

setInterval(() => console.log(`did job ${++done}`), 5000);
