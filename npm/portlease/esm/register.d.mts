export * from "../dist/register.cjs";
