export * from "../dist/plan.cjs";
