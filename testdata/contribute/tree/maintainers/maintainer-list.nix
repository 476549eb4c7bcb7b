{
  zz-person = {
    name = "Zora Zett";
    github = "zz-person";
    githubId = 26;
  };
}
