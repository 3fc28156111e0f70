import "./register.cjs";
