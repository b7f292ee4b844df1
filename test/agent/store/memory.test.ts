import { memoryStore } from "../../../agent/store/memory.ts";
import { storeContract } from "./store.contract.ts";

storeContract("in memory", async () => {
  const store = memoryStore();
  return { store, other: store, close: async () => {} };
});
