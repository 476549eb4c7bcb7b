{ callPackage }:

{
  python313 = callPackage ./cpython {
    sourceVersion = {
      major = "3";
      minor = "13";
      patch = "97";
      suffix = "";
    };
  };
}
