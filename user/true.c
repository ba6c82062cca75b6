/* true: do nothing, successfully. Arguments are not even looked at. */
int main(void)
{
    return 0;
}
